// Who claims runs for this machine: one lasting claimer, and any number for single runs, each under a name of its own. A seat lasts
// as long as its connection, so that a killed claimer frees it. Used by server.ts.
import { randomUUID } from 'node:crypto';
import { AutocodeError } from '../../protocol/errors.ts';
import { RUNNER_PROTOCOL, type SeatInput } from './protocol.ts';

export interface Seats {
  /** Takes one; throws when somebody else has it. */
  take(input: SeatInput): string;
  free(seat: string): void;
  /** The worker in a seat; throws when that was freed. */
  workerIn(seat: string | undefined): string;
}

export function seats(): Seats {
  const taken = new Map<string, SeatInput>();
  return {
    take(input) {
      if (input.protocol !== RUNNER_PROTOCOL) throw versionMismatch(input);
      const other = [...taken.values()].find(
        ({ worker, once }) => worker === input.worker || (!once && !input.once),
      );
      if (other !== undefined) throw isTaken(other);
      const seat = randomUUID();
      taken.set(seat, input);
      return seat;
    },
    free: (seat) => void taken.delete(seat),
    workerIn(seat = '') {
      const input = taken.get(seat);
      if (input !== undefined) return input.worker;
      throw new AutocodeError(
        'ERR_DAEMON_NOT_RUNNING',
        'The runner service does not know this claimer any more.',
        {
          remedy: 'It takes its seat again by itself.',
        },
      );
    },
  };
}

function isTaken({ worker, version, allocation }: SeatInput): AutocodeError {
  const who = allocation === null ? '' : `, Nomad's allocation ${allocation}`;
  return new AutocodeError(
    'ERR_CONFLICT',
    `This machine has a claimer already: worker ${worker} (version ${version}${who}).`,
    { remedy: 'A machine has one: stop that, or start this on another machine.' },
  );
}

function versionMismatch({ worker, protocol }: SeatInput): AutocodeError {
  return new AutocodeError(
    'ERR_PROTOCOL_VERSION',
    `The claimer ${worker} speaks version ${protocol} of the runner service's protocol, the service version ${RUNNER_PROTOCOL}.`,
    { remedy: 'Install one version of Autocode for both, then restart autocode-runner.service; runs go on.' },
  );
}
