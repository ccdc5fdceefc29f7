import type { Cut } from './lines.ts';
import type { BlockMoment } from './record.ts';

/** A block that a host is in. Numbers are of ends: so many had the host when it came there. */
interface OpenBlock {
  readonly at: number;
  readonly hasRescue: boolean;
  part: 'body' | 'rescue' | 'always';
  /** When its rescue began. */
  rescueAt?: number;
  /** The host was down when it came to `always`. */
  wasDown: boolean;
}

/** Whether a host is down, and where it would have to begin again. */
export interface Standing {
  blocks: OpenBlock[];
  isDown: boolean;
  /** The first failure that nothing rescued. */
  downAt?: number;
  /** The outermost block whose rescue did something and did not save the host. */
  lostBlockAt?: number;
}

/** A host of which nothing is known. */
export function createStanding(): Standing {
  return { blocks: [], isDown: false };
}

/** The host failed, `count` ends after its beginning. */
export function fall(standing: Standing, count: number): void {
  standing.isDown = true;
  standing.downAt ??= count;
}

/** The host comes to a part of a block, or leaves it. `hasActed`: a task of the rescue was not skipped. */
export function moveTo(
  standing: Standing,
  moment: BlockMoment,
  count: number,
  hasActed: (since: number) => boolean,
): void {
  const block = standing.blocks.at(-1);
  if (moment.at === 'body') {
    standing.blocks.push({ at: count, hasRescue: moment.hasRescue, part: 'body', wasDown: false });
  } else if (!block) return;
  else if (moment.at === 'end') leave(standing, block, moment.status, hasActed);
  else {
    block.wasDown = moment.at === 'always' && standing.isDown;
    block.part = moment.at;
    standing.isDown = false;
    if (moment.at === 'rescue') block.rescueAt = count;
  }
}

function leave(standing: Standing, block: OpenBlock, status: string, hasActed: (since: number) => boolean): void {
  standing.blocks.pop();
  standing.isDown = status !== 'active' && status !== 'interrupted';
  if (standing.isDown) {
    if (wasLost(block, hasActed)) standing.lostBlockAt = Math.min(standing.lostBlockAt ?? block.at, block.at);
  } else if (status === 'active') {
    if ((standing.downAt ?? -1) >= block.at) delete standing.downAt;
    if ((standing.lostBlockAt ?? -1) >= block.at) delete standing.lostBlockAt;
  }
}

/**
 * Where a host begins again that is down: before its failed task, or, where a rescue did something and did not save it,
 * before that block. A host that was on its way into a rescue, or in it, goes on there: it is not cut back.
 */
export function cutOf(standing: Standing, hasActed: (since: number) => boolean): Cut | undefined {
  let { isDown, lostBlockAt } = standing;
  for (const block of [...standing.blocks].reverse()) {
    if (block.part === 'always') isDown ||= block.wasDown;
    if (isDown && block.part === 'body' && block.hasRescue) return undefined;
    if (isDown && wasLost(block, hasActed)) lostBlockAt = Math.min(lostBlockAt ?? block.at, block.at);
  }
  if (!isDown || standing.downAt === undefined) return undefined;
  if (lostBlockAt !== undefined && lostBlockAt <= standing.downAt) return { keep: lostBlockAt, isBlock: true };
  return { keep: standing.downAt, isBlock: false };
}

function wasLost({ rescueAt }: OpenBlock, hasActed: (since: number) => boolean): boolean {
  return rescueAt !== undefined && hasActed(rescueAt);
}
