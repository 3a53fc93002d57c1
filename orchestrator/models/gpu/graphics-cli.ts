// Prints what systeminformation knows of the GPUs, as JSON. A program of its own, started by graphics.ts: the library runs
// nvidia-smi synchronously and without a time limit, which would stop the daemon while a card hangs.
import machine from 'systeminformation';

const { controllers } = await machine.graphics();
process.stdout.write(JSON.stringify(controllers));
