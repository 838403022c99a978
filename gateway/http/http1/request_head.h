#ifndef ENTREPOT_GATEWAY_HTTP_HTTP1_REQUEST_HEAD_H_
#define ENTREPOT_GATEWAY_HTTP_HTTP1_REQUEST_HEAD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gateway/http/message.h"

namespace entrepot::gateway::http {

// Parses a request's head (request line and fields) strictly by RFC 9112. Anything that two implementations could read
// in two ways is refused as soon as its line is complete. No library's parser is this strict, and a registry runs
// behind proxies that may parse leniently.
class RequestHead {
 public:
  struct Limits {
    size_t header_bytes_max = 0;
    size_t uri_bytes_max = 0;
    // header_bytes_max does not count up to this many bytes of the value of the Authorization field.
    size_t authorization_bytes_max = 0;
    // A target with this path may have a query of up to so many bytes. Neither of the first two limits counts them.
    absl::string_view long_query_path = {};
    size_t long_query_bytes_max = 0;
  };
  enum class Outcome { kIncomplete, kComplete, kRefused };

  explicit RequestHead(const Limits& limits) : limits_(limits) {}

  // Prepares for the next request.
  void Reset();

  // `data` is everything received since Reset(); its address may differ between calls. Each call continues where the
  // last one stopped.
  Outcome Parse(absl::string_view data);

  // Nothing but an empty line has been received so far.
  bool blank() const { return line_start_ == scanned_ && !has_request_line_; }

  // Empty until the method has been parsed; a view into the data of the last Parse().
  absl::string_view method(absl::string_view data) const { return method_.In(data); }

  // After kRefused: for Handler::Refuse.
  int refused_status() const { return refused_status_; }
  const std::string& refused_message() const { return refused_message_; }

  // After kComplete. The bytes after the head begin at data[size_bytes()].
  size_t size_bytes() const { return scanned_; }
  // Sets method, path, query and fields to views into `data`, the data of the last Parse(). If the target is in
  // absolute form, the Host field is set to the target's authority, whatever the client sent (RFC 9112 section 3.2.2).
  void Fill(absl::string_view data, Request* request) const;

  bool is_http_1_0() const { return minor_version_ == 0; }
  // False if the client closes the connection after this request.
  bool keep_alive() const { return !is_http_1_0() && !wants_close_; }
  bool chunked() const { return transfer_encodings_ > 0; }
  // 0 without a body, and with chunked().
  uint64_t content_length() const { return content_length_; }
  bool expects_continue() const { return expects_continue_ && !is_http_1_0(); }

 private:
  struct Slice {
    uint32_t offset = 0;
    uint32_t size = 0;
    absl::string_view In(absl::string_view data) const { return data.substr(offset, size); }
  };
  struct FieldSlices {
    Slice name;
    Slice value;
  };

  // Each returns false after it has set the refusal.
  bool ParseLine(absl::string_view data, size_t end);
  bool ParseRequestLine(absl::string_view data, size_t begin, size_t end);
  bool ParseTarget(absl::string_view data, size_t begin, size_t end);
  bool ParseOriginForm(absl::string_view data, size_t begin, size_t end);
  bool ParseAbsoluteForm(absl::string_view data, size_t begin, size_t end);
  bool ParseVersion(absl::string_view version);
  bool ParseField(absl::string_view data, size_t begin, size_t end);
  bool ParseKnownField(absl::string_view name, absl::string_view value);
  bool ParseHost(absl::string_view value);
  bool ParseContentLength(absl::string_view value);
  bool ParseTransferEncoding(absl::string_view value);
  bool ParseExpect(absl::string_view value);
  void ParseConnection(absl::string_view value);
  bool CheckComplete();
  // Whether `size` bytes of the head, of which `uncounted` are not counted, are more than header_bytes_max.
  bool TooLong(size_t size, size_t uncounted) const { return size - uncounted > limits_.header_bytes_max; }
  bool RefuseTooLong();
  bool RefuseLongTarget(absl::string_view target);
  bool HasLongQuery(absl::string_view target) const;
  size_t TargetBytesMax(absl::string_view target) const;
  // The bytes of the target, and of the line of a field, that header_bytes_max does not count.
  size_t UncountedQuery(absl::string_view target) const;
  size_t UncountedCredential(absl::string_view line) const;
  bool CheckUnfinishedLine(absl::string_view data);
  bool Refuse(int status, absl::string_view message);

  const Limits limits_;

  size_t scanned_ = 0;     // Bytes parsed.
  size_t line_start_ = 0;  // The index of the current line.
  size_t uncounted_ = 0;   // Bytes of complete lines that header_bytes_max does not count.
  bool has_request_line_ = false;
  bool skipped_empty_line_ = false;
  bool complete_ = false;

  Slice method_;
  Slice path_;  // Empty: "/".
  Slice query_;
  Slice authority_;  // Empty unless the target is in absolute form.
  std::vector<FieldSlices> fields_;
  size_t host_field_ = 0;  // The index of the Host field, if hosts_ > 0.

  int minor_version_ = 1;
  int hosts_ = 0;
  int authorizations_ = 0;
  int content_lengths_ = 0;
  int transfer_encodings_ = 0;
  uint64_t content_length_ = 0;
  bool wants_close_ = false;
  bool expects_continue_ = false;

  int refused_status_ = 0;
  std::string refused_message_;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_HTTP1_REQUEST_HEAD_H_
