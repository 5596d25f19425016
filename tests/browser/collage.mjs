// A picture of the docs: two screenshots of a page side by side, wide and on a phone.
import { writeFileSync } from 'node:fs';

// What a page shows now, as the address of a picture.
export const shotOf = async (page) => `data:image/png;base64,${(await page.screenshot()).toString('base64')}`;

// Writes docs/FILE. wide, phone: shots; height: of the picture, wideWidth: of the wide shot in it, in CSS pixels.
export async function writeCollage(browser, file, { wide, phone, height, wideWidth }) {
  const page = await browser.newPage({ viewport: { width: 1280, height } });
  await page.setContent(`<style>
      body { margin: 0; height: ${height}px; background: #e4e8ee; position: relative; overflow: hidden }
      img { position: absolute; border-radius: 12px; box-shadow: 0 2px 4px #0003, 0 12px 40px #0004 }
      .wide { left: 28px; top: 48px; width: ${wideWidth}px } .phone { right: 28px; top: 66px; width: 272px; border-radius: 26px; border: 5px solid #14171d }
    </style><img class="wide" src="${wide}"><img class="phone" src="${phone}">`);
  const picture = await page.screenshot();
  writeFileSync(new URL(`../../docs/${file}`, import.meta.url), picture);
  console.log(`docs/${file}: ${(picture.length / 1024).toFixed(0)} KB`);
}
