#ifndef ENTREPOT_SERVICES_OUTBOUND_TRANSPORT_H_
#define ENTREPOT_SERVICES_OUTBOUND_TRANSPORT_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// One HTTP request and its response, whose body is read piece by piece. An interface, so that tests need no server.
namespace entrepot::outbound {

struct WireRequest {
  std::string method = "GET";
  std::string url = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  // Outlives the response.
  absl::string_view body = {};
  // How long the server may be silent: in the middle of a body, or before it answers.
  absl::Duration idle_timeout = absl::Seconds(30);
  // Whether a proxy that the environment names is used.
  bool use_proxy = true;
  // Whether the body is read at the pace of a client, which may be slow. Such requests leave connections to the others.
  // If one is not read for a while, or its client has more than another one that needs a connection, its connection may
  // be given to another: Read() is kUnavailable then.
  bool paced_by_client = false;
  // Whose share of the connections such a request counts against (core/client_network.h); empty: of none.
  std::string client = {};
};

class WireResponse {
 public:
  virtual ~WireResponse() = default;

  virtual int status() const = 0;
  // By lower-case name.
  virtual const std::map<std::string, std::string>& headers() const = 0;
  // At most `size` (> 0) bytes of the body; 0 at its end. kUnavailable if it was cut.
  virtual absl::StatusOr<size_t> Read(char* data, size_t size) = 0;

  // Empty if the response has no such header. `name` is in lower case.
  std::string Header(const std::string& name) const {
    const auto found = headers().find(name);
    return found == headers().end() ? std::string() : found->second;
  }
};

// Thread-safe; calls block. Outlives its responses.
class Transport {
 public:
  virtual ~Transport() = default;

  // Returns when the header of the final response is there. kUnavailable if none came.
  virtual absl::StatusOr<std::unique_ptr<WireResponse>> Send(const WireRequest& request) = 0;
};

}  // namespace entrepot::outbound

#endif  // ENTREPOT_SERVICES_OUTBOUND_TRANSPORT_H_
