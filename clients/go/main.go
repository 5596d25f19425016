// Says hello to a video, and prints its comments: go run main.go http://127.0.0.1:3000 launch
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"math/rand"
	"net/http"
	"os"
	"strings"
	"time"
)

type fields map[string]string
type event struct{ Type, Name, Userid, Comment string }

var server, video, lastID = os.Args[1], os.Args[2], ""
var client = http.Client{Transport: &http.Transport{ResponseHeaderTimeout: 10 * time.Second}}

// post follows redirects, with the same headers and body.
func post(address string, body fields) (*http.Response, error) {
	text, _ := json.Marshal(body)
	request, err := http.NewRequest("POST", address, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Last-Event-ID", lastID)
	request.Header.Set("Idempotency-Key", fmt.Sprint(time.Now().UnixNano(), rand.Int63())) // makes a repeat harmless
	response, err := client.Do(request)
	if err == nil && response.StatusCode >= 400 {
		err = fmt.Errorf("%s: %s", address, response.Status)
	}
	return response, err
}

// watch reads one stream until it ends, or is silent for a minute. It returns whether the video is over.
func watch(show func(event)) (over bool, err error) {
	found, err := post(server+"/register", fields{"videoid": video}) // the reader that has the video now
	if err != nil {
		return false, err
	}
	defer found.Body.Close()
	var reader struct{ PublicURL, ReaderURL string }
	if err = json.NewDecoder(found.Body).Decode(&reader); err != nil {
		return false, err
	}
	if reader.PublicURL == "" {
		reader.PublicURL = reader.ReaderURL
	}
	stream, err := post(reader.PublicURL+"/connect", fields{"userid": "go", "videoid": video})
	if err != nil || stream.StatusCode == http.StatusNoContent {
		return err == nil, err
	}
	defer stream.Body.Close()
	silence := time.AfterFunc(time.Minute, func() { stream.Body.Close() })
	defer silence.Stop()
	lines, id, data := bufio.NewScanner(stream.Body), lastID, ""
	for lines.Scan() {
		silence.Reset(time.Minute)
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "id":
			id = value
		case "data":
			data = value
		case "": // an empty line ends an event
			var each event
			json.Unmarshal([]byte(data), &each)
			show(each)
			lastID, data = id, ""
		}
	}
	return false, lines.Err()
}

func main() {
	if _, err := post(server+"/comment", fields{"userid": "go", "videoid": video, "comment": "Hello from Go"}); err != nil {
		log.Fatal(err)
	}
	show := func(each event) {
		if each.Type == "gap" {
			fmt.Println("some comments missed")
		} else if each.Name != "" {
			fmt.Printf("%s: %s\n", each.Name, each.Comment)
		} else if each.Comment != "" {
			fmt.Printf("%s: %s\n", each.Userid, each.Comment)
		}
	}
	for {
		over, err := watch(show)
		if over {
			return
		}
		log.Print("trying again: ", err)
		time.Sleep(time.Duration(500+rand.Intn(2000)) * time.Millisecond)
	}
}
