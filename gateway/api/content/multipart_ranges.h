#ifndef ENTREPOT_GATEWAY_API_CONTENT_MULTIPART_RANGES_H_
#define ENTREPOT_GATEWAY_API_CONTENT_MULTIPART_RANGES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "boost/asio/awaitable.hpp"
#include "gateway/api/content/blob_reader.h"
#include "gateway/backends/call_context.h"
#include "gateway/body/body.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/range_header.h"
#include "services/core/repository_name.h"

namespace entrepot::gateway::api {

// The value of a Content-Range field.
std::string ContentRange(const ByteRange& range, uint64_t size_bytes);

// The Content-Type of a response with several ranges of a blob: multipart/byteranges (RFC 9110 section 14.6). Its
// boundary is made of the digest, which a blob cannot contain, except by breaking the hash.
std::string MultipartRangesType(const Digest& digest);

// The body of such a response, with the ranges in the order given. Opens the first range before it returns, so that its
// error becomes an error response; opens each other range once the one before has been sent. `reader` is copied.
// `memory_bytes` as in BlobBackend::ReadObject().
boost::asio::awaitable<absl::StatusOr<SequenceBody>> ReadRanges(const BlobReader& reader, const CallContext& call,
                                                                const RepositoryName& repository, const Blob& blob,
                                                                std::vector<ByteRange> ranges, size_t memory_bytes);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_MULTIPART_RANGES_H_
