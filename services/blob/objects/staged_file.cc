#include "services/blob/objects/staged_file.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "services/blob/io/file_io.h"
#include "services/blob/io/io_error.h"
#include "services/core/time/stopwatch.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

constexpr uint64_t kWriteBackBytes = 8 << 20;
constexpr uint64_t kReadBytes = 256 << 10;

}  // namespace

absl::Status StagedFile::Append(absl::string_view bytes) {
  RETURN_IF_ERROR(gate_.Check());
  RETURN_IF_ERROR(CheckDiskSpace(calls_, fd_.get()));
  if (int error = PWriteFully(calls_, fd_.get(), bytes, size_bytes_); error != 0) {
    overhang_ = true;
    absl::Status status = WriteError("writing an upload", error);
    if (ClassifyIoError(error) == IoErrorKind::kBroken) gate_.Close(status.message());
    return status;
  }
  size_bytes_ += bytes.size();
  StartWriteBack();
  return absl::OkStatus();
}

void StagedFile::StartWriteBack() {
  const uint64_t end = size_bytes_ - size_bytes_ % kWriteBackBytes;
  if (end <= write_back_end_) return;
  // This is only a hint; an error shows at the sync.
  calls_.SyncFileRange(fd_.get(), static_cast<off_t>(write_back_end_), static_cast<off_t>(end - write_back_end_));
  write_back_end_ = end;
}

absl::Status StagedFile::Truncate(uint64_t size_bytes) {
  if (int error = FTruncateFully(calls_, fd_.get(), size_bytes); error != 0) {
    return WriteError("cutting an upload to its size", error);
  }
  size_bytes_ = size_bytes;
  write_back_end_ = std::min(write_back_end_, size_bytes);
  overhang_ = false;
  return absl::OkStatus();
}

absl::Status StagedFile::Sync() {
  if (overhang_) RETURN_IF_ERROR(Truncate(size_bytes_));
  return SyncOrCloseGate(
      "an upload", [&] { return FDataSyncFully(calls_, fd_.get()); }, gate_, metrics_);
}

absl::Status StagedFile::Read(const std::function<void(absl::string_view)>& take) {
  const auto buffer = std::make_unique<char[]>(kReadBytes);
  for (uint64_t offset = 0; offset < size_bytes_;) {
    const size_t wanted = std::min(kReadBytes, size_bytes_ - offset);
    ASSIGN_OR_RETURN(const size_t count, PReadFully(calls_, fd_.get(), buffer.get(), wanted, offset));
    if (count < wanted) return absl::DataLossError(absl::StrCat("an upload's file ends at byte ", offset + count));
    take(absl::string_view(buffer.get(), count));
    offset += count;
  }
  return absl::OkStatus();
}

absl::Status SyncOrCloseGate(absl::string_view what, const std::function<int()>& sync, WriteGate& gate,
                             BlobMetrics& metrics) {
  const Stopwatch stopwatch;
  const int error = sync();
  metrics.ObserveFsync(stopwatch.Elapsed());
  if (error == 0) return absl::OkStatus();
  absl::Status status = WriteError(absl::StrCat("syncing ", what), error);
  if (ClassifyIoError(error) != IoErrorKind::kNoSpace) gate.Close(status.message());
  return status;
}

}  // namespace entrepot::blob
