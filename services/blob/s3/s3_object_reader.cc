#include "services/blob/s3/s3_object_reader.h"

#include <algorithm>

#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::blob::s3 {
namespace {

constexpr int kCutsMax = 3;

}  // namespace

absl::StatusOr<size_t> S3ObjectReader::ReadAt(char* data, size_t size, uint64_t offset_bytes) {
  if (offset_bytes >= head_.size_bytes) return size_t{0};
  size = std::min<uint64_t>(size, head_.size_bytes - offset_bytes);
  size_t done = 0;
  for (int cuts = 0; done < size;) {
    const uint64_t at = offset_bytes + done;
    if (body_ == nullptr || body_offset_ != at) RETURN_IF_ERROR(Open(at, size - done));
    const size_t wanted = std::min<uint64_t>(size - done, body_end_ - at);
    absl::StatusOr<size_t> count = body_->Read(data + done, wanted);
    if (!count.ok() || *count == 0) {
      body_.reset();
      if (++cuts == kCutsMax) {
        return count.ok() ? OciError(OciErrorCode::kUnavailable, "the S3 server cut an object again and again")
                          : count.status();
      }
      continue;
    }
    cuts = 0;
    done += *count;
    body_offset_ += *count;
    // Its connection is free for others while the client takes these bytes.
    if (body_offset_ == body_end_) body_.reset();
  }
  return done;
}

absl::StatusOr<std::string> S3ObjectReader::UrlFor(absl::string_view client_address) {
  if (urls_ == nullptr) return std::string();
  return urls_->UrlFor(key_, client_address);
}

absl::Status S3ObjectReader::Open(uint64_t offset_bytes, uint64_t size) {
  body_.reset();
  const uint64_t end = std::min(std::max(end_, offset_bytes + size), head_.size_bytes);
  ASSIGN_OR_RETURN(body_, bucket_.GetRange(key_, head_, offset_bytes, end - offset_bytes, Pace::kClient, requester_));
  body_offset_ = offset_bytes;
  body_end_ = end;
  return absl::OkStatus();
}

}  // namespace entrepot::blob::s3
