-- What an event type is shown with. Its feature_flag holds several from now on, joined by newlines.
ALTER TABLE event_types ADD COLUMN group_name TEXT;
