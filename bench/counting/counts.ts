/** What a run of a tool cost besides time, counted in a run of its own. */
export interface Counts {
  /** On so many hosts. */
  readonly hosts: number;
  /** Connections that were logged in, on all hosts. */
  readonly logins: number;
  /** For each host, after the login: how often bytes went to the host and then bytes came from it. */
  readonly roundTrips: number;
  /** Bytes on the wire for each host after the login, as they were encrypted. */
  readonly sentBytes: number;
  /** Likewise in the other direction. */
  readonly receivedBytes: number;
  /** Started on the controller, the tool itself counted, for all hosts. Undefined where nobody could count. */
  readonly controllerProcesses?: number;
  /** Started by sshd and below it, for each host. */
  readonly targetProcesses?: number;
}
