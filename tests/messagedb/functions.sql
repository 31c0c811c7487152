-- functions.sql - the rules of Message DB's functions over a table of messages.
--
-- Written from its documentation: names, arguments and results are those of
-- message_store; positions of streams from 0, global positions from 1.
CREATE TABLE messages (
	global_position bigserial PRIMARY KEY,
	position bigint NOT NULL,
	stream_name text NOT NULL,
	type text NOT NULL,
	data text,
	metadata text,
	UNIQUE (stream_name, position)
);

CREATE FUNCTION category(s text) RETURNS text IMMUTABLE LANGUAGE sql AS
$$ SELECT split_part(s, '-', 1) $$;

CREATE FUNCTION id(s text) RETURNS text IMMUTABLE LANGUAGE sql AS
$$ SELECT CASE WHEN strpos(s, '-') = 0 THEN NULL
	ELSE substr(s, strpos(s, '-') + 1) END $$;

CREATE FUNCTION cardinal_id(s text) RETURNS text IMMUTABLE LANGUAGE sql AS
$$ SELECT split_part(id(s), '+', 1) $$;

CREATE FUNCTION hash_64(s text) RETURNS bigint IMMUTABLE LANGUAGE sql AS
$$ SELECT left('x' || md5(s), 17)::bit(64)::bigint $$;

CREATE FUNCTION stream_version(s text) RETURNS bigint LANGUAGE sql AS
$$ SELECT max(position) FROM messages WHERE stream_name = s $$;

-- The position, or NULL where the expected version is another one.
CREATE FUNCTION write_message(s text, t text, d text, m text, e bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	version bigint := coalesce(stream_version(s), -1);
BEGIN
	IF e IS NOT NULL AND e <> version THEN
		RETURN NULL;
	END IF;
	INSERT INTO messages (position, stream_name, type, data, metadata)
		VALUES (version + 1, s, t, d, m);
	RETURN version + 1;
END $$;

CREATE FUNCTION get_stream_messages(s text, p bigint, batch bigint)
RETURNS SETOF messages LANGUAGE sql AS
$$ SELECT * FROM messages WHERE stream_name = s AND position >= p
	ORDER BY position LIMIT batch $$;

CREATE FUNCTION get_category_messages(c text, p bigint, batch bigint,
	correlation text, member bigint, size bigint)
RETURNS SETOF messages LANGUAGE sql AS
$$ SELECT * FROM messages
	WHERE category(stream_name) = c AND global_position >= p
	AND (correlation IS NULL OR
		category(metadata::jsonb ->> 'correlationStreamName') =
			correlation)
	AND (size IS NULL OR
		mod(abs(hash_64(cardinal_id(stream_name))), size) = member)
	ORDER BY global_position LIMIT batch $$;

CREATE FUNCTION get_last_stream_message(s text, t text)
RETURNS SETOF messages LANGUAGE sql AS
$$ SELECT * FROM messages WHERE stream_name = s AND (t IS NULL OR type = t)
	ORDER BY position DESC LIMIT 1 $$;
