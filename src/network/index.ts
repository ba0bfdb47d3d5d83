/** @see below; the operations of the kernel thread come first because others need the entry module. */
import type { KernelOps } from '../linux/kernel-thread.ts'

export const networkOps: KernelOps = {}
