"""The wire world: real processes over TLS sockets, with Toxiproxy on the links, a tap beside the relay, and clocks that can be hurried."""
