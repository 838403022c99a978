#ifndef ENTREPOT_GATEWAY_HTTP_MESSAGE_H_
#define ENTREPOT_GATEWAY_HTTP_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/asio/awaitable.hpp"
#include "services/core/files/owned_fd.h"

namespace entrepot::gateway::http {

// A request's body, read as it arrives. Used by one coroutine, which must not outlive the request.
class RequestBody {
 public:
  virtual ~RequestBody() = default;

  // What Content-Length declared; nullopt with chunked transfer coding; 0 without a body.
  virtual std::optional<uint64_t> content_length() const = 0;

  // Waits for bytes and copies at most `size` (> 0) of them; 0 at the body's end. The first call sends `100 Continue`
  // where the client expects it: whoever refuses a request answers without reading.
  // kInvalidArgument: the chunked coding is malformed; kDeadlineExceeded: slower than the minimum rate;
  // kUnavailable: the client went away. After an error the connection is not used for another request.
  virtual boost::asio::awaitable<absl::StatusOr<size_t>> Read(char* data, size_t size) = 0;
};

// A request whose header passed HTTP's grammar and the limits. Views are valid while it lives.
struct Request {
  struct Field {
    absl::string_view name;
    absl::string_view value;  // Without surrounding blanks; no control bytes but tab.
  };

  absl::string_view method;  // As sent: "GET".
  // Origin form, as sent, still percent-encoded; of an absolute-form target what follows the authority. Begins with
  // "/".
  absl::string_view path;
  absl::string_view query;  // Behind "?", still encoded; empty without one.
  std::vector<Field> fields;
  absl::string_view remote_address;  // "192.0.2.1", of the connection.
  bool is_tls = false;
  // What the client sent as X-Request-Id, where that is a short plain token, else made for this request. Returned to
  // the client by the server.
  std::string request_id;
  RequestBody* body = nullptr;

  // The first field of that name (case-insensitive); nullopt without one.
  std::optional<absl::string_view> Find(absl::string_view name) const;
  // All values of that name joined by ", " (RFC 9110 section 5.3); empty without one.
  std::string Join(absl::string_view name) const;
};

// A response's body, produced as the client takes it.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // Copies at most `size` (> 0) bytes; 0 at the end. An error cuts the connection off, so that the client sees a
  // response that is short, never one that is wrong.
  virtual boost::asio::awaitable<absl::StatusOr<size_t>> Read(char* data, size_t size) = 0;
};

// Bytes of an open file: sent by sendfile on a plain connection.
struct FileBody {
  OwnedFd file;
  uint64_t offset_bytes = 0;
  uint64_t length_bytes = 0;
};

struct StreamBody {
  std::unique_ptr<BodySource> source;
  uint64_t length_bytes = 0;
};

struct Response {
  using Body = std::variant<std::string, FileBody, StreamBody>;

  int status = 200;
  // Without Content-Length, Date, Connection, X-Request-Id and Transfer-Encoding, which are the server's. A value with
  // a control byte crashes: whatever echoes a client's text encodes it first.
  std::vector<std::pair<absl::string_view, std::string>> fields;  // Names are literals.
  Body body;
  // The answer to HEAD: the Content-Length that GET would have; `body` is empty.
  std::optional<uint64_t> head_content_length;
  // Ends the connection after this answer.
  bool close = false;
  // The bounded label of the metrics: a literal such as "blob", "manifest", "upload".
  absl::string_view route = "other";
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_MESSAGE_H_
