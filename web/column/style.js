// The style sheet of <live-comments>: constructed, so that a page's Content-Security-Policy needs to allow no inline style.
// Every colour and size that a page may want to change is a variable, and every piece a part.
const CSS = `
:host {
  --_background: var(--chorus-background, light-dark(#fff, #14171d));
  --_text: var(--chorus-text, light-dark(#13161b, #eceff3));
  --_dim: var(--chorus-dim, light-dark(#525b6b, #a5afbd));
  --_line: var(--chorus-line, light-dark(#d8dce3, #2a303a));
  --_field: var(--chorus-field, light-dark(#edeff3, #1e232b));
  --_field-line: var(--chorus-field-line, light-dark(#767f8e, #737d8c));
  --_accent: var(--chorus-accent, light-dark(#0a6a64, #52d3c4));
  --_accent-text: var(--chorus-accent-text, light-dark(#fff, #03211e));
  --_own: var(--chorus-own, light-dark(#edf7f6, #12262a));
  --_good: var(--chorus-good, light-dark(#12693a, #63d391));
  --_warn: var(--chorus-warn, light-dark(#7a4900, #f3b760));
  --_warn-background: var(--chorus-warn-background, light-dark(#fcf0da, #33260f));
  --_bad: var(--chorus-bad, light-dark(#ae1530, #ff8f99));
  --_bad-background: var(--chorus-bad-background, light-dark(#fce6e9, #3a181e));
  --_radius: var(--chorus-radius, 10px);
  display: flex; flex-direction: column; box-sizing: border-box;
  inline-size: 100%; block-size: 34rem; min-block-size: 16rem; max-block-size: 100dvh; min-inline-size: 0;
  overflow: hidden; isolation: isolate; text-align: start;
  background: var(--_background); color: var(--_text);
  border: 1px solid var(--_line); border-radius: var(--_radius);
  font: var(--chorus-font, 400 .9375rem/1.4 system-ui, sans-serif);
}
:host([hidden]) { display: none; }
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
:host([theme="auto"]) { color-scheme: light dark; }
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
.hidden { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
button { font: inherit; color: inherit; background: none; border: 0; padding: 0; margin: 0; cursor: pointer; }
button:disabled { cursor: default; }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; border-radius: 4px; }

.header { display: flex; align-items: center; gap: .5rem; padding: .6rem .85rem; border-block-end: 1px solid var(--_line); }
.title { font-weight: 650; margin-inline-end: auto; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.viewers { color: var(--_dim); font-size: .8125rem; white-space: nowrap; font-variant-numeric: tabular-nums; }
.state { display: inline-flex; align-items: center; gap: .35rem; font-size: .75rem; font-weight: 600; white-space: nowrap;
  padding: .1rem .5rem; border-radius: 99px; background: var(--_field); color: var(--_dim); }
.state::before { content: ""; inline-size: .5rem; block-size: .5rem; border-radius: 50%; background: currentColor; }
.state.connecting::before { background: none; border: 2px solid currentColor; border-block-start-color: transparent; animation: turn 1s linear infinite; }
.state.live { color: var(--_good); }
.state.reconnecting { color: var(--_warn); background: var(--_warn-background); }
.state.reconnecting::before { border-radius: 1px; animation: blink 1.2s steps(2, jump-none) infinite; }
.state.replaying { color: var(--_accent); }
.state.replaying::before { clip-path: polygon(0 0, 100% 50%, 0 100%); border-radius: 0; }
.state.ended::before { border-radius: 1px; }
.state.refused { color: var(--_bad); background: var(--_bad-background); }
.state.refused::before { clip-path: polygon(50% 0, 100% 100%, 0 100%); border-radius: 0; }

.banner { display: flex; flex-wrap: wrap; align-items: baseline; gap: .2rem .75rem; padding: .5rem .85rem; font-size: .8125rem;
  border-block-end: 1px solid var(--_line); background: var(--_field); overflow-wrap: anywhere; }
.banner.reconnecting { background: var(--_warn-background); color: var(--_warn); }
.banner.refused { background: var(--_bad-background); color: var(--_bad); }
.action { font-weight: 600; text-decoration: underline; text-underline-offset: 2px; }

.window { position: relative; flex: 1; min-block-size: 0; display: flex; }
.list { flex: 1; min-inline-size: 0; overflow-y: auto; overflow-anchor: none; overscroll-behavior: contain; padding-block: .5rem;
  scrollbar-width: thin; scrollbar-color: var(--_dim) transparent; display: flex; flex-direction: column; }
.list:focus-visible { outline-offset: -2px; }
.rows { list-style: none; margin: 0; padding: 0; }
.empty { margin: auto; padding: 1.5rem; text-align: center; color: var(--_dim); display: grid; gap: .15rem; }
:host(:is([readonly], [replay])) .empty span { display: none; }
.empty strong { color: var(--_text); font-weight: 600; }

.row { contain: content; display: grid; grid-template-columns: 1.75rem minmax(0, 1fr); column-gap: .6rem; padding: .24rem .85rem; }
.row.continued { padding-block-start: 0; margin-block-start: -.15rem; }
.row.own { background: var(--_own); box-shadow: inset 3px 0 var(--_accent); }
.row.own:dir(rtl) { box-shadow: inset -3px 0 var(--_accent); }
.rows:not(.busy) > .row { animation: appear .15s ease-out; }
.avatar { inline-size: 1.75rem; block-size: 1.75rem; border-radius: 50%; display: grid; place-items: center; overflow: hidden;
  font-size: .6875rem; font-weight: 650; line-height: 1; white-space: nowrap; user-select: none;
  color: #fff; background: oklch(.5 .12 var(--_hue)); }
.row .avatar { margin-block-start: .15rem; }
.continued > .avatar { visibility: hidden; block-size: 0; margin: 0; }
.continued .head { display: none; }
.head { display: flex; align-items: baseline; gap: .4rem; min-inline-size: 0; }
.name { color: light-dark(oklch(var(--chorus-name-lightness, .5) var(--chorus-name-chroma, .14) var(--_hue)), oklch(var(--chorus-name-lightness, .78) var(--chorus-name-chroma, .12) var(--_hue)));
  font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.you { flex: none; font-size: .6875rem; font-weight: 600; line-height: 1.4; padding-inline: .35rem; border-radius: 4px; background: var(--_accent); color: var(--_accent-text); }
.time, .viewers, .pin, .banner > span, .gap > span, .jump, .sample, .note, .status { unicode-bidi: plaintext; }
.time { flex: none; color: var(--_dim); font-size: .75rem; font-variant-numeric: tabular-nums; }
.text { unicode-bidi: plaintext; white-space: pre-wrap; overflow-wrap: anywhere; overflow: clip; padding-block: 1px; }
.place { overflow: clip; padding-inline: 3.2rem .85rem; color: var(--_dim); font-size: .75rem; font-style: italic; }
.folded > .body > .text { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 5; overflow: hidden; }
.more { font-size: .8125rem; font-weight: 600; color: var(--_accent); }
.more:hover { text-decoration: underline; }
.sending .text { opacity: .7; }
.status { font-size: .75rem; color: var(--_dim); display: flex; flex-wrap: wrap; gap: .1rem .75rem; }
.status:empty { display: none; }
.row.own.failed { background: var(--_bad-background); box-shadow: inset 3px 0 var(--_bad); }
.failed .status { color: var(--_bad); font-size: .8125rem; }
.gap { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: center; gap: .1rem .6rem; margin: .4rem .85rem; padding: .3rem .6rem; font-size: .8125rem;
  color: var(--_warn); background: var(--_warn-background); border: 1px dashed currentColor; border-radius: 6px; text-align: center; }

.jump { position: absolute; inset-block-end: .6rem; inset-inline: 0; margin-inline: auto; inline-size: fit-content; max-inline-size: 90%;
  padding: .35rem .85rem; border-radius: 99px; background: var(--_accent); color: var(--_accent-text); font-size: .8125rem; font-weight: 600;
  box-shadow: 0 2px 10px rgb(0 0 0 / .25); }
.jump::before { content: "↓"; margin-inline-end: .4rem; }
.pinned { display: flex; gap: .5rem; align-items: baseline; padding: .4rem .85rem; border-block-end: 1px solid var(--_line); overflow-wrap: anywhere; }
.pinned[hidden] { display: none; }
.hearts { position: relative; block-size: 0; pointer-events: none; color: var(--_accent); z-index: 1; }
.hearts > * { position: absolute; inset-block-end: .5rem; font-size: 1.25rem; }
.rising { opacity: 0; animation: rise 1.4s ease-out; }
@keyframes rise { from { opacity: 1; transform: none; } to { opacity: 0; transform: translateY(-9rem) scale(1.4); } }
.pin { color: var(--_dim); font-size: .75rem; }
.sample { padding: .25rem .85rem; font-size: .75rem; color: var(--_dim); border-block-start: 1px solid var(--_line); font-variant-numeric: tabular-nums; }

.composer { border-block-start: 1px solid var(--_line); padding: .55rem .85rem .65rem; display: grid; gap: .35rem; }
.identity { display: flex; align-items: center; gap: .4rem; min-inline-size: 0; font-size: .8125rem; color: var(--_dim); }
.avatar.small { flex: none; inline-size: 1.25rem; block-size: 1.25rem; font-size: .5625rem; }
.as { flex: none; }
.rename { min-inline-size: 0; color: var(--_text); font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; border-radius: 4px; }
.rename:not(:disabled)::after { content: "✎"; margin-inline-start: .35rem; }
.rename:not(:disabled):hover { text-decoration: underline; }
.name-input { flex: 1; min-inline-size: 0; padding: .1rem .4rem; border-radius: 6px; }
.entry { display: flex; align-items: end; gap: .5rem; }
.input { font: inherit; color: inherit; background: var(--_field); border: 1px solid var(--_field-line); border-radius: 8px; }
.input::placeholder { color: var(--_dim); opacity: 1; }
.input:focus { outline: 2px solid var(--_accent); outline-offset: -1px; border-radius: 8px; }
.grow { flex: 1; min-inline-size: 0; display: grid; }
.grow > * { grid-area: 1 / 1; min-inline-size: 0; padding: .4rem .6rem; max-block-size: 7.5rem; font: inherit; white-space: pre-wrap; overflow-wrap: anywhere; }
.grow > .input { resize: none; overflow-y: auto; block-size: 100%; }
.mirror { visibility: hidden; overflow: hidden; border: 1px solid; }
.send { flex: none; min-inline-size: 4rem; padding: .45rem .85rem; border-radius: 8px; font-weight: 600; background: var(--_accent); color: var(--_accent-text); font-variant-numeric: tabular-nums; }
.send:disabled { background: var(--_field); color: var(--_dim); }
.react { flex: none; padding: .45rem .5rem; border-radius: 8px; color: var(--_accent); }
.react:hover { background: var(--_field); }
.react:is([aria-disabled="true"], :disabled) { color: var(--_dim); }
.below { font-size: .75rem; color: var(--_dim); }
.note:empty { display: none; }
.too-long .note { color: var(--_bad); font-weight: 600; }
.too-long textarea { border-color: var(--_bad); }
.limited .note { color: var(--_warn); }

@keyframes appear { from { opacity: 0; } }
@keyframes turn { to { rotate: 1turn; } }
@keyframes blink { to { opacity: .35; } }
@media (prefers-reduced-motion: reduce) { *, ::before { animation: none !important; transition: none !important; } }
@media (forced-colors: active) {
  .send, .jump, .state, .row.own, .avatar { border: 1px solid; }
  .state::before { forced-color-adjust: none; background: CanvasText; }
}
@media (pointer: coarse) { .input { font-size: 1rem; } .action, .more { padding-block: .3rem; } .send { padding-block: .6rem; } }
`;

let sheet;
export function columnStyle() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}
