-- Where a worker speaks from: whose traffic it is that comes by the transparent listener of the egress proxy.
alter table worker add column address text; -- null for one that has not registered since
