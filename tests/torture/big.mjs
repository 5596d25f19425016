// A sound history of any length, for what is to be judged fast: every 50 comments the store fails over and forgets the last five,
// which had been acknowledged, and which one of the two viewers had seen.
const EPOCH = 50, LOST = 5;

// epochs: of 50 comments each.
export function bigHistory(epochs) {
  const posts = [], listing = [], faults = [], lossesMs = [];
  const [steady, cut] = ['steady', 'cut'].map((name) => ({ name, video: 'v', events: [{ type: 'connected', id: '1-0', at: 0 }] }));
  let at = 1;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for (let seq = 1; seq <= EPOCH; seq++) {
      const kept = seq <= EPOCH - LOST || epoch === epochs;
      const id = `${epoch}-${seq}`, text = `w${seq % 2} ${id}`, whole = JSON.stringify({ id, text });
      posts.push({ video: 'v', text, whole, sentMs: at, answeredMs: at + 1, comment: { id, videoid: 'v', comment: text } });
      if (kept) listing.push({ id, text, whole });
      steady.events.push({ type: 'comment', id, text, whole, at: at + 2 });
      if (kept) cut.events.push({ type: 'comment', id, text, whole, at: at + 2 });
      at += 10;
    }
    if (epoch === epochs) break;
    const gap = { type: 'gap', to: `${epoch + 1}-0`, missed: null, reason: 'epoch', at: at + 5 };
    const position = cut.events.at(-1).id;
    steady.events.push({ ...gap, from: `${epoch}-${EPOCH + 1}` });
    cut.events.push({ type: 'cut', at }, { type: 'connected', id: position, asked: position, at: at + 5 }, { ...gap, from: `${epoch}-${EPOCH - LOST + 1}` });
    faults.push({ name: 'failover', beganMs: at, endedMs: at + 6 });
    lossesMs.push([at - 1, at + 6]);
    at += 10;
  }
  const statistics = {
    commentApi: { totalComments: posts.length, commentsByVideo: { v: posts.length } }, storedComments: { total: listing.length },
    readerApis: { totalActiveConnections: 2, totalMessagesSent: 0, readers: [{ activeConnections: 2, messagesSent: 0 }] },
  };
  return { posts, faults, lossesMs, statistics, viewers: [steady, cut], listings: { v: listing }, streams: 2 };
}
