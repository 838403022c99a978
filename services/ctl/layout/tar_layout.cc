#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/core/digester.h"
#include "services/core/files/durable_directory.h"
#include "services/core/files/owned_fd.h"
#include "services/ctl/layout/layout_file.h"
#include "services/ctl/layout/layout_writer.h"
#include "services/ctl/layout/tar_format.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

// "blobs/sha256/<hex>"; nullopt: another path.
std::optional<Digest> DigestOfPath(const std::string& path) {
  const std::vector<std::string> parts = absl::StrSplit(path, '/');
  if (parts.size() != 3 || parts[0] != "blobs") return std::nullopt;
  absl::StatusOr<Digest> digest = Digest::Parse(absl::StrCat(parts[1], ":", parts[2]));
  return digest.ok() ? std::optional<Digest>(*std::move(digest)) : std::nullopt;
}

class TarLayout final : public LayoutWriter {
 public:
  TarLayout(std::string path, OwnedFd fd) : path_(std::move(path)), partial_(path_ + ".partial"), fd_(std::move(fd)) {}

  // Takes over what an interrupted run has written, as far as it is whole; the blob at its end may be a part.
  absl::Status Recover() {
    ASSIGN_OR_RETURN(const uint64_t file_bytes, SizeOfFile(fd_.get(), partial_));
    TarReader reader(fd_.get());
    bool has_marker = false;
    while (true) {
      // Bytes that are not a header are dropped like those of a header that was cut off.
      const absl::StatusOr<std::optional<TarEntry>> next = reader.Next();
      if (!next.ok() || !next->has_value()) break;
      const TarEntry& entry = **next;
      const std::optional<Digest> digest = DigestOfPath(entry.path);
      if (!digest.has_value() && entry.path != kLayoutMarkerName) break;
      if (entry.end_offset() > file_bytes) {
        if (!digest.has_value() || file_bytes < entry.data_offset) break;
        partial_blob_ = Blob{*digest, entry.size_bytes};
        blob_offset_ = entry.data_offset;
        break;
      }
      if (digest.has_value()) {
        Digester digester(digest->algorithm());
        RETURN_IF_ERROR(HashRange(fd_.get(), entry.data_offset, entry.size_bytes, &digester));
        if (!(digester.Current() == *digest)) break;
        whole_.insert(*digest);
      }
      has_marker |= entry.path == kLayoutMarkerName;
      end_ = entry.end_offset();
    }
    // The index is the last file, so that the file has none yet.
    if (!partial_blob_.has_value()) RETURN_IF_ERROR(CutTo(end_));
    if (!has_marker) RETURN_IF_ERROR(WriteFile(kLayoutMarkerName, kLayoutMarker));
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Has(const Digest& digest) override { return whole_.count(digest) > 0; }

  absl::StatusOr<uint64_t> BeginBlob(const Digest& digest, uint64_t size_bytes) override {
    digester_.emplace(digest.algorithm());
    if (partial_blob_.has_value() && partial_blob_->digest == digest && partial_blob_->size_bytes == size_bytes) {
      ASSIGN_OR_RETURN(const uint64_t file_bytes, SizeOfFile(fd_.get(), partial_));
      const uint64_t written = std::min(file_bytes - blob_offset_, size_bytes);
      RETURN_IF_ERROR(CutTo(blob_offset_ + written));
      RETURN_IF_ERROR(HashRange(fd_.get(), blob_offset_, written, &*digester_));
      return written;
    }
    RETURN_IF_ERROR(CutTo(end_));
    RETURN_IF_ERROR(WriteAll(fd_.get(), TarHeader(LayoutBlobPath(digest), size_bytes), partial_));
    blob_offset_ = end_ + kTarBlockBytes;
    partial_blob_ = Blob{digest, size_bytes};
    return 0;
  }

  absl::Status Append(absl::string_view bytes) override {
    digester_->Update(bytes);
    return WriteAll(fd_.get(), bytes, partial_);
  }

  absl::Status EndBlob() override {
    const Blob blob = *std::exchange(partial_blob_, std::nullopt);
    if (digester_->length_bytes() != blob.size_bytes || !(digester_->Current() == blob.digest)) {
      RETURN_IF_ERROR(CutTo(end_));
      return absl::DataLossError(absl::StrCat("the ", digester_->length_bytes(), " bytes of the blob ",
                                              blob.digest.ToString(), " have the digest ",
                                              digester_->Current().ToString()));
    }
    RETURN_IF_ERROR(WriteAll(fd_.get(), TarPadding(blob.size_bytes), partial_));
    whole_.insert(blob.digest);
    end_ = TarEndOffset(blob_offset_, blob.size_bytes);
    return absl::OkStatus();
  }

  absl::Status Finish(const std::vector<LayoutEntry>& entries) override {
    ASSIGN_OR_RETURN(const std::string index, WithLayoutEntries("", entries));
    RETURN_IF_ERROR(CutTo(end_));
    RETURN_IF_ERROR(WriteFile(kLayoutIndexName, index));
    RETURN_IF_ERROR(WriteAll(fd_.get(), TarEnd(), partial_));
    if (fsync(fd_.get()) != 0) return FileError("cannot sync", partial_);
    return RenameDurably(partial_, path_);
  }

 private:
  struct Blob {
    Digest digest;
    uint64_t size_bytes;
  };

  absl::Status CutTo(uint64_t size_bytes) {
    if (ftruncate(fd_.get(), static_cast<off_t>(size_bytes)) != 0) return FileError("cannot shorten", partial_);
    return absl::OkStatus();
  }

  absl::Status WriteFile(absl::string_view name, absl::string_view content) {
    RETURN_IF_ERROR(WriteAll(
        fd_.get(), absl::StrCat(TarHeader(name, content.size()), content, TarPadding(content.size())), partial_));
    end_ += TarEndOffset(kTarBlockBytes, content.size());
    return absl::OkStatus();
  }

  const std::string path_;
  const std::string partial_;
  // Opened to append.
  OwnedFd fd_;
  std::set<Digest> whole_;
  // Behind the last whole file.
  uint64_t end_ = 0;
  // The blob at the end, and where its bytes begin.
  std::optional<Blob> partial_blob_;
  uint64_t blob_offset_ = 0;
  std::optional<Digester> digester_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LayoutWriter>> OpenTarLayout(const std::string& path) {
  if (access(path.c_str(), F_OK) == 0) {
    return absl::FailedPreconditionError(absl::StrCat(path, " exists: name a new file, or remove it"));
  }
  ASSIGN_OR_RETURN(OwnedFd fd, OpenFileAt(path + ".partial", O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW));
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(absl::StrCat("another entrepotctl writes ", path, ".partial"));
  }
  auto layout = std::make_unique<TarLayout>(path, std::move(fd));
  RETURN_IF_ERROR(layout->Recover());
  return layout;
}

}  // namespace entrepot::ctl
