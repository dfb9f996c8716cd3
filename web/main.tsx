import './zod.config.js';
import './style/base.css';
import './style/layout.css';
import './style/components.css';
import './style/shop.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { HubContext } from '../src/react/hub.provider.js';
import { App } from './app.js';
import { startBell } from './bell.js';
import { source, startConnection } from './hub.js';
import { startMissedSales } from './missed.js';
import { startServiceWorker } from './push.subscription.js';

startConnection();
startBell();
startMissedSales();
startServiceWorker();
const page = document.getElementById('page');
if (page) {
  createRoot(page).render(
    <StrictMode>
      <HubContext.Provider value={source}>
        <App />
      </HubContext.Provider>
    </StrictMode>,
  );
}
