'use client';
import { Menu } from '@base-ui/react/menu';
import { Download } from 'lucide-react';
import type { Asset } from '../../lib/contracts/generation.ts';
import { exportFormats } from '../../lib/contracts/studio.ts';
import { isVideo } from './result.tsx';
import menu from './menu.module.css';

const formatNames: Record<(typeof exportFormats)[number], string> = {
  png: 'PNG',
  jpeg: 'JPEG',
  webp: 'WebP',
  avif: 'AVIF',
};

/** The picture as a file: as it is, in another format, or without a word on how it was made. A video only as it is. */
export function DownloadMenu({ asset }: { asset: Asset }) {
  const link = (format: string, metadata: boolean) =>
    `/api/v1/assets/${asset.id}/export?format=${format}&metadata=${metadata}`;
  return (
    <Menu.Root>
      <Menu.Trigger
        className={menu.iconTrigger}
        aria-label={isVideo(asset) ? 'Download the video' : 'Download the picture'}
      >
        <Download aria-hidden />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className={menu.positioner} sideOffset={6} align="end">
          <Menu.Popup className={menu.popup}>
            <Menu.Item className={menu.item} render={<a href={`${asset.url}?download`} download />}>
              The file as it is
            </Menu.Item>
            {!isVideo(asset) && (
              <>
                <Menu.Group>
                  <Menu.GroupLabel className={menu.groupLabel}>With how it was made</Menu.GroupLabel>
                  {exportFormats
                    .filter((format) => format !== 'png')
                    .map((format) => (
                      <Menu.Item
                        key={format}
                        className={menu.item}
                        render={<a href={link(format, true)} download />}
                      >
                        {formatNames[format]}
                      </Menu.Item>
                    ))}
                </Menu.Group>
                <Menu.Group>
                  <Menu.GroupLabel className={menu.groupLabel}>To share, without it</Menu.GroupLabel>
                  {exportFormats.map((format) => (
                    <Menu.Item
                      key={format}
                      className={menu.item}
                      render={<a href={link(format, false)} download />}
                    >
                      {formatNames[format]}
                    </Menu.Item>
                  ))}
                </Menu.Group>
              </>
            )}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
