#ifndef ENTREPOT_GATEWAY_HTTP_SERVER_PROXY_HEADER_H_
#define ENTREPOT_GATEWAY_HTTP_SERVER_PROXY_HEADER_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace entrepot::gateway::http {

// Parses the header of the PROXY protocol (versions 1 and 2, as HAProxy's proxy-protocol.txt defines them), by which a
// proxy reports its client before the first byte of the connection. The header comes before TLS's handshake, so no byte
// behind it may be read: wanted_bytes() limits each read.
class ProxyHeader {
 public:
  // Of version 2 with its additional values. HAProxy sends less than 600.
  static constexpr size_t kBytesMax = 4096;

  // How many bytes to read next; they belong to the header. 0 once it is complete.
  size_t wanted_bytes() const;
  // Adds at most wanted_bytes() bytes. True if the header is complete; kInvalidArgument if this is no such header, or
  // not of a TCP connection.
  absl::StatusOr<bool> Add(absl::string_view bytes);
  // No byte has been added.
  bool blank() const { return bytes_.empty(); }

  // After the header is complete. The client's address; empty if the proxy reports none, for example because it checks
  // the registry's health.
  const std::string& address() const { return address_; }
  // The proxy reports that the client used TLS. Only version 2 can.
  bool is_tls() const { return is_tls_; }

 private:
  bool is_version_2() const;
  // Each returns an error, or OK after it has set the results.
  absl::Status ParseVersion1();
  absl::Status CheckVersion2Start();
  absl::Status ParseVersion2();
  absl::Status ParseValues(absl::string_view values);

  std::string bytes_;
  size_t size_ = 0;  // Of the whole header of version 2; 0 until it is known.
  bool complete_ = false;
  std::string address_;
  bool is_tls_ = false;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_SERVER_PROXY_HEADER_H_
