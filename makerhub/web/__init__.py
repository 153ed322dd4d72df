"""Pages by audience: server-rendered, usable without JavaScript, each route with a policy of its own."""
