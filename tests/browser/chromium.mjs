// Chromium, as each test in a browser starts it: Debian's headless shell, the same engine without the windows, the profile and
// the services of the whole browser, which need twice the CPU. CHROMIUM names another.
import { chromium } from 'playwright-core';

const ARGUMENTS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--no-proxy-server',
];

// more: further arguments. The browser is the caller's to close.
export const launchChromium = (more = []) =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium-headless-shell', args: [...ARGUMENTS, ...more] });
