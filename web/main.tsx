import './no.eval.js';
import './style/paper.css';
import './style/layout.css';
import './style/parts.css';
import './style/shop.css';
import './style/panel.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.js';
import { startBell } from './bell.js';
import { startListening } from './hub.js';

startListening();
startBell();
const page = document.getElementById('page');
if (page) {
  createRoot(page).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
