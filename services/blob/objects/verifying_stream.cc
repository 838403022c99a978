#include "services/blob/objects/verifying_stream.h"

#include <algorithm>
#include <utility>

#include "services/status/status_macros.h"

namespace entrepot::blob {

VerifyingStream::VerifyingStream(std::unique_ptr<ObjectReader> reader, uint64_t offset_bytes, uint64_t end_bytes,
                                 std::shared_ptr<SharedHash> hash, BlobMetrics* metrics)
    : reader_(std::move(reader)),
      offset_bytes_(offset_bytes),
      end_bytes_(end_bytes),
      hash_(std::move(hash)),
      metrics_(*metrics) {
  reader_->WillRead(offset_bytes_, end_bytes_ - offset_bytes_);
}

absl::StatusOr<size_t> VerifyingStream::Read(char* data, size_t size) {
  if (remaining_bytes() == 0) return size_t{0};
  const auto wanted = static_cast<size_t>(std::min<uint64_t>(size, remaining_bytes()));
  absl::Status status = ReadAt(data, wanted, offset_bytes_);
  if (status.ok() && hash_ != nullptr) {
    status = hash_->Add({data, wanted}, offset_bytes_, [this](char* piece, size_t piece_size, uint64_t offset_bytes) {
      return ReadAt(piece, piece_size, offset_bytes);
    });
  }
  if (absl::IsDataLoss(status)) metrics_.CountCorruptRead();
  RETURN_IF_ERROR(status);
  offset_bytes_ += wanted;
  return wanted;
}

absl::Status VerifyingStream::ReadAt(char* data, size_t size, uint64_t offset_bytes) {
  ASSIGN_OR_RETURN(const size_t count, reader_->ReadAt(data, size, offset_bytes));
  if (count < size) return absl::DataLossError("the object is shorter than it was");
  return absl::OkStatus();
}

}  // namespace entrepot::blob
