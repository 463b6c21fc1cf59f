/** Imported first by web and worker: a parent that was killed closes the channel, and they stop in good order. */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
