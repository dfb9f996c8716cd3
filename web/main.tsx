import './style/base.css';
import './style/layout.css';
import './style/components.css';
import './style/shop.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.js';
import { loadScreens } from './load.screens.js';
import { startServiceWorker } from './push.subscription.js';
import { session } from './session.js';

startServiceWorker();
const page = document.getElementById('page');
if (page) {
  createRoot(page).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
// Who is logged in is connected at once, whatever the screen. For others the rest loads after the books.
if (session.get()) setTimeout(loadScreens);
