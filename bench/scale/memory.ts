import { readFileSync } from 'node:fs';

/** Resident memory of a process now, in MB (10^6 bytes). */
export function residentOf(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kibibytes ?? Number.NaN) * 1024) / 1e6;
}
