import './zod.config.js';
import './style/base.css';
import './style/layout.css';
import './style/components.css';
import './style/shop.css';
import './style/panel.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.js';
import { startBell } from './bell.js';
import { startConnection } from './hub.js';

startConnection();
startBell();
const page = document.getElementById('page');
if (page) {
  createRoot(page).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
