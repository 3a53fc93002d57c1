import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { architectureOf, REFUSED, seccompProgram, type Architecture } from './seccomp.ts';

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const EPERM = 0x50001;
const ENOSYS = 0x50026;
const EAFNOSUPPORT = 0x50061;

/** What the kernel's machine answers for a call: an interpreter of the five instructions that are used. */
function verdict(program: Buffer, arch: number, number: number, args: number[] = []): number {
  const data: Record<number, number> = { 0: number, 4: arch };
  for (const index of [0, 1, 2]) data[16 + 8 * index] = args[index] ?? 0;
  let accumulator = 0;
  for (let at = 0; ; at += 1) {
    assert.ok(at * 8 < program.length, 'it runs off the end');
    const code = program.readUInt16LE(at * 8);
    const value = program.readUInt32LE(at * 8 + 4);
    const jump = (holds: boolean) => (at += program.readUInt8(at * 8 + (holds ? 2 : 3)));
    if (code === 0x06) return value;
    if (code === 0x20) accumulator = data[value] ?? Number.NaN;
    else if (code === 0x15) jump(accumulator === value);
    else if (code === 0x35) jump(accumulator >= value);
    else if (code === 0x45) jump((accumulator & value) !== 0);
    else assert.fail(`unknown instruction ${code}`);
  }
}

const X86 = 0xc000003e;
const ARM = 0xc00000b7;

for (const [architecture, arch, calls] of [
  ['x86_64', X86, { clone: 56, ioctl: 16, socket: 41, read: 0, ptrace: 101 }],
  ['aarch64', ARM, { clone: 220, ioctl: 29, socket: 198, read: 63, ptrace: 117 }],
] as const) {
  test(`${architecture}: the listed calls are refused, others are not`, () => {
    const program = seccompProgram(architecture);
    for (const call of REFUSED) {
      const number = call[architecture];
      if (number !== null) assert.equal(verdict(program, arch, number), EPERM, call.name);
    }
    assert.equal(verdict(program, arch, calls.read), ALLOW);
    assert.equal(verdict(program, arch, calls.ptrace), ALLOW);
    assert.equal(verdict(program, arch, 435), ENOSYS, 'clone3');
  });

  test(`${architecture}: processes and threads are made, namespaces are not`, () => {
    const program = seccompProgram(architecture);
    for (const flags of [17, 0x3d0f00, 0x1200011]) {
      assert.equal(verdict(program, arch, calls.clone, [flags]), ALLOW, flags.toString(16));
    }
    for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
      assert.equal(verdict(program, arch, calls.clone, [flag | 17]), EPERM, flag.toString(16));
    }
  });

  test(`${architecture}: nothing is typed into a terminal, and sockets are of four families`, () => {
    const program = seccompProgram(architecture);
    assert.equal(verdict(program, arch, calls.ioctl, [0, 0x5412]), EPERM);
    assert.equal(verdict(program, arch, calls.ioctl, [0, 0x541c]), EPERM);
    assert.equal(verdict(program, arch, calls.ioctl, [0, 0x5401]), ALLOW);
    for (const family of [1, 2, 10, 16]) assert.equal(verdict(program, arch, calls.socket, [family]), ALLOW);
    for (const family of [3, 9, 17, 31, 38, 40, 44])
      assert.equal(verdict(program, arch, calls.socket, [family]), EAFNOSUPPORT);
  });

  test(`${architecture}: programs for another kind of processor end`, () => {
    assert.equal(verdict(seccompProgram(architecture), arch === X86 ? ARM : X86, 0), KILL);
    assert.equal(verdict(seccompProgram(architecture), 0x40000003, 0), KILL, 'i386');
  });
}

test("x32's numbers are no way around", () => {
  for (const { x86_64 } of REFUSED)
    assert.equal(verdict(seccompProgram('x86_64'), X86, 0x40000000 + x86_64), ENOSYS);
});

test("the numbers are those of the kernel's headers, where these are installed", (context) => {
  const headers: [Architecture, string, RegExp][] = [
    ['x86_64', '/usr/include/x86_64-linux-gnu/asm/unistd_64.h', /#define __NR_(\w+)\s+(\d+)/g],
    ['aarch64', '/usr/include/asm-generic/unistd.h', /#define __NR_(\w+)\s+(\d+)/g],
  ];
  for (const [architecture, file, pattern] of headers) {
    if (!existsSync(file)) return context.diagnostic(`${file} is not installed`);
    const numbers = new Map(
      [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, name, number]) => [name, Number(number)]),
    );
    for (const call of REFUSED)
      assert.equal(numbers.get(call.name) ?? null, call[architecture], `${call.name} of ${architecture}`);
  }
});

test('an architecture without a table has no sandbox', () => {
  assert.equal(architectureOf('aarch64'), 'aarch64');
  assert.throws(() => architectureOf('riscv64'), { code: 'ERR_SANDBOX' });
});
