// `autocode doctor`: definition. The handler is in ../doctor/.
import { verb } from '../command.ts';

export const doctorVerb = verb({
  command: 'doctor',
  describe: 'Check this machine and say what to do about each problem',
  examples: [['doctor', 'needs no daemon; exit code 1 if a check fails']],
  load: async () => (await import('../doctor/doctor.ts')).doctor,
});
