#ifndef ENTREPOT_GATEWAY_HTTP_MESSAGE_H_
#define ENTREPOT_GATEWAY_HTTP_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/body/body.h"
#include "gateway/http/memory_budget.h"

namespace prometheus {
class Counter;
}

namespace entrepot::gateway::http {

// A request's body, read as it arrives. Used by one coroutine, which must not outlive the request.
class RequestBody {
 public:
  virtual ~RequestBody() = default;

  // The declared Content-Length; nullopt with chunked transfer coding; 0 without a body.
  virtual std::optional<uint64_t> content_length() const = 0;

  // Waits for bytes and copies at most `size` (> 0) of them; 0 at the body's end. The first call sends `100 Continue`
  // if the client expects it, so a handler that refuses a request should respond without reading. kInvalidArgument: the
  // chunked coding is malformed; kDeadlineExceeded: slower than the minimum rate; kUnavailable: the client
  // disconnected. After an error the connection is not used for another request.
  virtual boost::asio::awaitable<absl::StatusOr<size_t>> Read(char* data, size_t size) = 0;
};

// The connection that a request came by.
class ClientConnection {
 public:
  virtual ~ClientConnection() = default;

  // Whether the client has reset the connection, so that no response can reach it. A client that has only ended its
  // side may still read. One system call; thread-safe while the request lives.
  virtual bool IsReset() const = 0;
};

// A request whose header is valid and within the limits. Views are valid while it lives.
struct Request {
  struct Field {
    absl::string_view name;
    absl::string_view value;  // Without surrounding blanks; no control bytes but tab.
  };

  absl::string_view method;  // As sent: "GET".
  // In origin form, as sent, still percent-encoded; of a target in absolute form, the part after the authority. Begins
  // with "/".
  absl::string_view path;
  absl::string_view query;  // After "?", still encoded; empty without one.
  std::vector<Field> fields;
  // The client's, "192.0.2.1": that of the connection, or the one that a trusted proxy reports (forwarded_fields.h).
  absl::string_view remote_address;
  // Whether the client uses TLS, also if a trusted proxy ends it.
  bool is_tls = false;
  // The connection comes from a trusted proxy. The Host field is then the one that the client sent, if the proxy
  // reports it.
  bool is_from_trusted_proxy = false;
  // The client's X-Request-Id if it is valid (server_fields.h), otherwise an id made for this request. The server
  // returns it to the client.
  std::string request_id;
  // The caller's account. Empty until the request is authenticated, and for a caller without one.
  std::string account;
  RequestBody* body = nullptr;
  const ClientConnection* client = nullptr;  // Null in tests only, as `memory`.
  // What the request's body, and a response that is kept whole, must be reserved from.
  MemoryBudget* memory = nullptr;

  bool IsClientGone() const { return client != nullptr && client->IsReset(); }
  // An empty reservation for the client and its account. The request must live until its last call of GrowTo().
  MemoryBudget::Reservation ReserveMemory() const { return {memory, remote_address, account}; }

  // The first field of that name (case-insensitive); nullopt without one.
  std::optional<absl::string_view> Find(absl::string_view name) const;
  // Sets the value of the Host field, or adds the field.
  void SetHost(absl::string_view host);
  // All values of that name joined by ", " (RFC 9110 section 5.3); empty without one.
  std::string Join(absl::string_view name) const;
};

struct Response {
  int status = 200;
  // Without Content-Length, Date, Connection, X-Request-Id and Transfer-Encoding, which the server adds. A value with a
  // control byte aborts the process: encode a client's text before you echo it.
  std::vector<std::pair<absl::string_view, std::string>> fields;  // Names are literals.
  // Further field lines, as they are sent: each begins with CRLF, as in "\r\nX-Frame-Options: DENY". A literal, so that
  // lines that many responses have cost no copies.
  absl::string_view fixed_fields;
  Body body;
  // For what `body` keeps in memory while it is sent; null if that is little.
  std::unique_ptr<MemoryBudget::Reservation> memory;
  // In the response to HEAD: the Content-Length that GET would have; `body` is empty.
  std::optional<uint64_t> head_content_length;
  // Closes the connection after this response.
  bool close = false;
  // Counts the bytes of the body that are sent, beside the server's own metrics; null for none.
  prometheus::Counter* sent_bytes = nullptr;
  // The label in metrics: a literal from a bounded set, such as "blob" or "manifest".
  absl::string_view route = "other";
};

// The body's length, whatever holds it.
uint64_t BodyLength(const Body& body);

// The Content-Length of a response; nullopt if its status allows no body (1xx, 204, 304).
std::optional<uint64_t> DeclaredLength(const Response& response, bool is_head);

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_MESSAGE_H_
