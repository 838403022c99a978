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

// Functions to read a request's body, each with bounded memory.
namespace entrepot::gateway::api {

// The error of `code` for a body that broke off with `status`: 400, or 408 if the client was too slow.
absl::Status BodyError(const absl::Status& status, OciErrorCode code);

struct WholeBody {
  std::string bytes;
  http::MemoryBudget::Reservation memory;  // Of `bytes`: keep it as long as them.
};

// Reads the whole body. 413 of `code` if it is longer than `bytes_max`; then the rest is not read. Takes memory as the
// body arrives, and 503 if the budget of the request refuses it.
boost::asio::awaitable<absl::StatusOr<WholeBody>> ReadWholeBody(const http::Request& request, size_t bytes_max,
                                                                OciErrorCode code);

struct CopiedBody {
  uint64_t bytes = 0;     // The number of bytes that were appended.
  absl::Status source;    // The error of the body. The bytes before it were appended.
  absl::Status sink;      // The error of the stream.
  bool too_long = false;  // The body is longer than `bytes_max`. The first `bytes_max` bytes were appended.
};

// Appends the body to the stream. Reads one buffer ahead: the next buffer fills while the last one is hashed and
// written. Small bodies use small buffers, and so do all while the request's memory budget has no room for large ones.
// Does not finish the stream.
boost::asio::awaitable<CopiedBody> CopyBody(const http::Request& request, UploadStream& stream,
                                            uint64_t bytes_max = std::numeric_limits<uint64_t>::max());

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_BODY_READER_H_
