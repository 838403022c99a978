#ifndef ENTREPOT_GATEWAY_API_REQUEST_BODY_READER_H_
#define ENTREPOT_GATEWAY_API_REQUEST_BODY_READER_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/backends/blob_backend.h"
#include "gateway/http/message.h"
#include "services/status/oci_error.h"

// Ways to take in a request's body, each with a bound on memory.
namespace entrepot::gateway::api {

// How a body ended before its end, as an error of `code` for the client: 400, or 408 where it was too slow.
absl::Status BodyError(const absl::Status& status, OciErrorCode code);

// The whole body. 413 of `code`, without reading more, where it is longer than `bytes_max`.
boost::asio::awaitable<absl::StatusOr<std::string>> ReadWholeBody(http::RequestBody& body, size_t bytes_max,
                                                                  OciErrorCode code);

struct CopiedBody {
  uint64_t bytes = 0;     // How many were appended.
  absl::Status source;    // Why the body broke off; what had come was appended.
  absl::Status sink;      // Why the stream took no more.
  bool too_long = false;  // The body goes on behind `bytes_max`; what is before that was appended.
};

// Appends the body to the stream, reading one buffer ahead: while one is hashed and written the next one fills. Small
// bodies take small buffers. Does not finish the stream.
boost::asio::awaitable<CopiedBody> CopyBody(http::RequestBody& body, UploadStream& stream,
                                            uint64_t bytes_max = std::numeric_limits<uint64_t>::max());

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_BODY_READER_H_
