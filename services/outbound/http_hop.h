#ifndef ENTREPOT_SERVICES_OUTBOUND_HTTP_HOP_H_
#define ENTREPOT_SERVICES_OUTBOUND_HTTP_HOP_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/outbound/server_certificate.h"

namespace entrepot::outbound {

// The head of a response. Field names are in lower case; a field that comes twice is there twice.
struct HopHead {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;

  // The first value of the field; empty if it is absent. `name` in lower case.
  absl::string_view Field(absl::string_view name) const;
  std::vector<absl::string_view> Fields(absl::string_view name) const;
};

struct HopRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  // Of the whole exchange; infinite for bodies that are as long as they are.
  absl::Duration timeout = absl::Seconds(30);
};

// Receives a response. Called on the thread of Send(). An error ends the exchange, and Send() returns it.
struct HopSink {
  // Called once, before the body. May be empty.
  std::function<absl::Status(const HopHead& head)> on_head = {};
  // Called for each piece of the body, which is valid during the call. If it blocks, the connection waits.
  std::function<absl::Status(absl::string_view bytes)> on_bytes = {};
};

// How far an exchange came, for diagnoses. A connection that is used again was connected and secured before.
struct HopTrace {
  // What it is connected to: the server, or the proxy. Empty: there was no connection.
  std::string ip_address = {};
  int port = 0;
  // When the host's address was known, the connection open, and TLS ready, since the begin of the exchange; nullopt if
  // it did not come so far. `connected` is nullopt too if TLS failed.
  std::optional<absl::Duration> resolved = {};
  std::optional<absl::Duration> connected = {};
  std::optional<absl::Duration> secured = {};
  // The server's, also if it is not trusted; null without a TLS handshake.
  std::shared_ptr<const ServerCertificate> certificate = {};
};

struct HopOptions {
  std::string user_agent = "entrepot";
  // PEM, in addition to what the system trusts. Empty: only what the system trusts.
  std::string ca_file = {};
  // Whether the authorities of the system are trusted beside those of ca_file.
  bool trusts_system_too = true;
  std::string client_certificate_file = {};
  std::string client_key_file = {};
  absl::Duration connect_timeout = absl::Seconds(10);
  // The exchange ends if fewer than 1024 bytes a second arrive for this long. A sink that blocks does not count.
  absl::Duration stall_timeout = absl::Seconds(30);
  size_t header_bytes_max = 64 * 1024;
  // Decides on each IP address after the host's name has been resolved, for new and for reused connections. Through a
  // proxy of the environment it is the proxy's address.
  std::function<absl::Status(absl::string_view ip_address)> check_address = {};
  // Is called at the end of each exchange, also of one that failed, on the thread of Send().
  std::function<void(const HopTrace& trace)> trace = {};
};

// One request and its response over HTTP/1.1 (libcurl): no redirect is followed, no body is decoded, nothing is sent
// that the request does not name. Thread-safe; calls block. Keeps connections for later requests.
class HttpHop {
 public:
  static std::unique_ptr<HttpHop> Create(HopOptions options);
  virtual ~HttpHop() = default;

  // Returns the head after the whole body went to the sink. Errors:
  // - of the sink and of check_address: as they are; of check_address only if no other address of the host answers;
  // - kInvalidArgument: the URL is not http or https, has a user, a zone or a control character, or a header has a
  //   control character; the message does not contain the URL;
  // - kUnavailable: no connection, or it broke off, stalled or timed out, or the response is not HTTP, is too large, or
  //   is shorter than its Content-Length. The message has the URL without its query, and the reason. A body without a
  //   Content-Length that is not chunked ends where the connection ends, so it may be a part;
  // - kCancelled: after Stop().
  virtual absl::StatusOr<HopHead> Send(const HopRequest& request, const HopSink& sink) = 0;
  // Makes running calls return soon, and later ones at once. A sink that blocks is not interrupted.
  virtual void Stop() = 0;
};

}  // namespace entrepot::outbound

#endif  // ENTREPOT_SERVICES_OUTBOUND_HTTP_HOP_H_
