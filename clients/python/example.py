# Says hello to a video, and prints its comments: python3 example.py http://127.0.0.1:3000 launch
import http.client, json, random, sys, time, urllib.parse, urllib.request, uuid

server, video = sys.argv[1:3]

def post(path, body):  # the key makes a repeat harmless
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    with urllib.request.urlopen(urllib.request.Request(f"{server}/{path}", json.dumps(body).encode(), headers), timeout=10) as answer:
        return json.load(answer)

def events(user, last_id=None):
    while True:
        try:
            reader = post("register", {"videoid": video})  # the reader that has the video now
            url = f"{reader.get('publicUrl', reader['readerUrl'])}/connect?{urllib.parse.urlencode({'userid': user, 'videoid': video})}"
            request = urllib.request.Request(url, headers={"Last-Event-ID": last_id} if last_id else {})
            with urllib.request.urlopen(request, timeout=60) as stream:  # follows redirects; silent for 60 s: it is dead
                if stream.status == 204: return  # the video is over
                event = {}
                for line in stream:
                    field, _, value = line.decode().rstrip("\r\n").partition(": ")
                    event[field] = value
                    if not field and "data" in event: yield json.loads(event["data"])  # an empty line ends an event
                    if not field: last_id, event = event.get("id", last_id), {}
        except (OSError, http.client.HTTPException) as error:
            print(f"trying again: {error}", file=sys.stderr)
        time.sleep(random.uniform(0.5, 2.5))

post("comment", {"userid": "python", "videoid": video, "comment": "Hello from Python"})
for event in events("python"):
    if "type" not in event: print(f"{event.get('name', event['userid'])}: {event['comment']}", flush=True)
    elif event["type"] == "gap": print(f"{event['missed']} comments missed", flush=True)
