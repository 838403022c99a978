#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/core/digester.h"
#include "services/core/files/owned_fd.h"
#include "services/ctl/layout/layout_file.h"
#include "services/ctl/layout/layout_writer.h"
#include "services/ctl/layout/tar_format.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

constexpr uint64_t kIndexBytesMax = 64 << 20;
constexpr char kPartial[] = ".partial";

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  ASSIGN_OR_RETURN(const OwnedFd fd, OpenFileAt(path, O_RDONLY));
  return ReadAt(fd.get(), 0, kIndexBytesMax);
}

class DirectoryLayout final : public LayoutWriter {
 public:
  explicit DirectoryLayout(std::string path) : path_(std::move(path)) {}

  absl::StatusOr<bool> Has(const Digest& digest) override {
    if (verified_.count(digest) > 0) return true;
    const std::string path = PathOf(digest);
    absl::StatusOr<OwnedFd> fd = OpenFileAt(path, O_RDONLY);
    if (absl::IsNotFound(fd.status())) return false;
    RETURN_IF_ERROR(fd.status());
    Digester digester(digest.algorithm());
    ASSIGN_OR_RETURN(const uint64_t size_bytes, SizeOfFile(fd->get(), path));
    RETURN_IF_ERROR(HashRange(fd->get(), 0, size_bytes, &digester));
    if (!(digester.Current() == digest)) return false;
    verified_.insert(digest);
    return true;
  }

  absl::StatusOr<uint64_t> BeginBlob(const Digest& digest, uint64_t size_bytes) override {
    const std::string path = PathOf(digest);
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    if (error)
      return absl::UnavailableError(absl::StrCat("cannot make the directory of ", path, ": ", error.message()));
    ASSIGN_OR_RETURN(fd_, OpenFileAt(path + kPartial, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW));
    ASSIGN_OR_RETURN(uint64_t written, SizeOfFile(fd_.get(), path));
    if (written > size_bytes) {
      if (ftruncate(fd_.get(), 0) != 0) return FileError("cannot shorten", path + kPartial);
      written = 0;
    }
    digest_ = digest;
    size_bytes_ = size_bytes;
    digester_.emplace(digest.algorithm());
    RETURN_IF_ERROR(HashRange(fd_.get(), 0, written, &*digester_));
    return written;
  }

  absl::Status Append(absl::string_view bytes) override {
    digester_->Update(bytes);
    return WriteAll(fd_.get(), bytes, PathOf(*digest_) + kPartial);
  }

  absl::Status EndBlob() override {
    const std::string path = PathOf(*digest_);
    const std::string partial = path + kPartial;
    fd_ = OwnedFd();
    if (digester_->length_bytes() != size_bytes_ || !(digester_->Current() == *digest_)) {
      unlink(partial.c_str());
      return absl::DataLossError(absl::StrCat("the ", digester_->length_bytes(), " bytes of the blob ",
                                              digest_->ToString(), " have the digest ",
                                              digester_->Current().ToString()));
    }
    if (std::rename(partial.c_str(), path.c_str()) != 0) return FileError("cannot rename", partial);
    verified_.insert(*digest_);
    return absl::OkStatus();
  }

  absl::Status Finish(const std::vector<LayoutEntry>& entries) override {
    const std::string index_path = absl::StrCat(path_, "/", kLayoutIndexName);
    absl::StatusOr<std::string> before = ReadWhole(index_path);
    if (absl::IsNotFound(before.status())) before = "";
    RETURN_IF_ERROR(before.status());
    absl::StatusOr<std::string> index = WithLayoutEntries(*before, entries);
    if (!index.ok()) return absl::FailedPreconditionError(absl::StrCat(path_, ": ", index.status().message()));
    RETURN_IF_ERROR(Replace(absl::StrCat(path_, "/", kLayoutMarkerName), kLayoutMarker));
    // The blobs are on the disk before the index names them.
    RETURN_IF_ERROR(Sync());
    RETURN_IF_ERROR(Replace(index_path, *index));
    return Sync();
  }

 private:
  std::string PathOf(const Digest& digest) const { return absl::StrCat(path_, "/", LayoutBlobPath(digest)); }

  static absl::Status Replace(const std::string& path, absl::string_view content) {
    const std::string partial = path + kPartial;
    {
      ASSIGN_OR_RETURN(const OwnedFd fd, OpenFileAt(partial, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW));
      RETURN_IF_ERROR(WriteAll(fd.get(), content, partial));
      if (fsync(fd.get()) != 0) return FileError("cannot sync", partial);
    }
    if (std::rename(partial.c_str(), path.c_str()) != 0) return FileError("cannot rename", partial);
    return absl::OkStatus();
  }

  absl::Status Sync() const {
    ASSIGN_OR_RETURN(const OwnedFd fd, OpenFileAt(path_, O_RDONLY | O_DIRECTORY));
    return syncfs(fd.get()) == 0 ? absl::OkStatus() : FileError("cannot sync", path_);
  }

  const std::string path_;
  std::set<Digest> verified_;
  // Of the blob that is written.
  OwnedFd fd_;
  std::optional<Digest> digest_;
  std::optional<Digester> digester_;
  uint64_t size_bytes_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<LayoutWriter>> OpenDirectoryLayout(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return absl::UnavailableError(absl::StrCat("cannot make the directory ", path, ": ", error.message()));
  bool is_empty = true;
  bool is_layout = false;
  for (auto entry = std::filesystem::directory_iterator(path, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    is_empty = false;
    is_layout |= name == kLayoutMarkerName || name == "blobs";
  }
  if (error) return absl::UnavailableError(absl::StrCat("cannot read the directory ", path, ": ", error.message()));
  if (!is_empty && !is_layout) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " has other files than an OCI layout: name a new directory"));
  }
  return std::make_unique<DirectoryLayout>(path);
}

}  // namespace entrepot::ctl
