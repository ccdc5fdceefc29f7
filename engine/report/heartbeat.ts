/** Calls `tick` about once a second until the function that it gives is called. It never keeps the process alive. */
export type Heartbeat = (tick: () => void) => () => void;

/** The machine's own. */
export const everySecond: Heartbeat = (tick) => {
  const timer = setInterval(tick, 1000);
  timer.unref();
  return () => clearInterval(timer);
};
