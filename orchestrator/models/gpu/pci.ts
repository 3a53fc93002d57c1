// Addresses of PCI devices, which nvidia-smi and the kernel write in different forms. Used to tell which GPU is meant.

/** `00000000:65:00.0`, `0000:65:00.0` and `0000:65:00` as the last one. */
export function pciAddress(text: string): string {
  const [, domain = '0', bus = '', device = ''] =
    /^(?:([0-9a-f]+):)?([0-9a-f]+):([0-9a-f]+)/i.exec(text) ?? [];
  return `${Number.parseInt(domain, 16).toString(16).padStart(4, '0')}:${bus}:${device}`.toLowerCase();
}
