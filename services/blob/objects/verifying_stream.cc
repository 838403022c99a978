#include "services/blob/objects/verifying_stream.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/blob/io/file_io.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

constexpr size_t kPieceBytes = 256 << 10;

}  // namespace

absl::Status WrongDigest(const Digest& digest) {
  return absl::DataLossError(absl::StrCat("the object's bytes do not have the digest ", digest.ToString()));
}

VerifyingStream::VerifyingStream(Object object, uint64_t offset_bytes, VerificationCache* verified, SystemCalls* calls,
                                 BlobMetrics* metrics)
    : object_(std::move(object)),
      offset_bytes_(offset_bytes),
      digester_(object_.digest.algorithm()),
      verified_(*verified),
      calls_(*calls),
      metrics_(*metrics) {}

absl::StatusOr<size_t> VerifyingStream::Read(char* data, size_t size) {
  if (remaining_bytes() == 0) return size_t{0};
  RETURN_IF_ERROR(HashSkippedBytes());
  const auto wanted = static_cast<size_t>(std::min<uint64_t>(size, remaining_bytes()));
  ASSIGN_OR_RETURN(const size_t count, ReadAndHash(data, wanted, offset_bytes_));
  offset_bytes_ += count;
  if (remaining_bytes() == 0) RETURN_IF_ERROR(CheckDigest());
  return count;
}

absl::StatusOr<size_t> VerifyingStream::ReadAndHash(char* data, size_t size, uint64_t offset_bytes) {
  absl::StatusOr<size_t> count = PReadFully(calls_, object_.file.get(), data, size, offset_bytes);
  if (count.ok() && *count < size) count = absl::DataLossError("the object's file is shorter than it was");
  if (!count.ok()) {
    if (absl::IsDataLoss(count.status())) metrics_.CountCorruptRead();
    return count;
  }
  digester_.Update(absl::string_view(data, size));
  return size;
}

absl::Status VerifyingStream::HashSkippedBytes() {
  if (digester_.length_bytes() >= offset_bytes_) return absl::OkStatus();
  const std::unique_ptr<char[]> piece(new char[kPieceBytes]);
  while (digester_.length_bytes() < offset_bytes_) {
    const uint64_t hashed = digester_.length_bytes();
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(kPieceBytes, offset_bytes_ - hashed));
    RETURN_IF_ERROR(ReadAndHash(piece.get(), wanted, hashed).status());
  }
  return absl::OkStatus();
}

absl::Status VerifyingStream::CheckDigest() {
  const bool good = digester_.Current() == object_.digest;
  verified_.Record(object_.key, object_.version, object_.digest, good);
  if (good) return absl::OkStatus();
  metrics_.CountCorruptRead();
  return WrongDigest(object_.digest);
}

}  // namespace entrepot::blob
