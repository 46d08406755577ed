// Loaded into a process before all else: at its end it notes the most resident memory that it took, in bytes.
const fs = require('node:fs');
const { isMainThread } = require('node:worker_threads');

if (isMainThread) {
  process.on('exit', () => {
    fs.appendFileSync(process.env.KAFSCOPE_PEAKS, `${process.resourceUsage().maxRSS * 1024}\n`);
  });
}
