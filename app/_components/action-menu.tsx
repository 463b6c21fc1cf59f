'use client';
import { Menu } from '@base-ui/react/menu';
import { ChevronDown } from 'lucide-react';
import type { ReactNode } from 'react';
import { Keys } from './shortcuts-dialog.tsx';
import menu from './menu.module.css';

export interface MenuAction {
  label: string;
  keys?: string;
  run: () => void;
}

interface ActionMenuProps {
  /** Sign and words of the button that opens it. */
  children: ReactNode;
  className: string | undefined;
  actions: readonly MenuAction[];
}

/** A button with a list of things to do, each with its key. */
export function ActionMenu({ children, className, actions }: ActionMenuProps) {
  return (
    <Menu.Root>
      <Menu.Trigger className={className}>
        {children} <ChevronDown aria-hidden className={menu.chevron} />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className={menu.positioner} sideOffset={6} align="start">
          <Menu.Popup className={menu.popup}>
            {actions.map(({ label, keys, run }) => (
              <Menu.Item key={label} className={menu.item} onClick={run}>
                {label}
                {keys !== undefined && <Keys keys={keys} />}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
