#include "services/ctl/layout/layout_reader.h"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/core/digester.h"
#include "services/core/files/owned_fd.h"
#include "services/ctl/layout/distribution_storage.h"
#include "services/ctl/layout/layout_file.h"
#include "services/ctl/layout/tar_format.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

constexpr uint64_t kIndexBytesMax = 64 << 20;
// Of a tar file: the bound protects the memory.
constexpr size_t kTarFilesMax = 1'000'000;

// A part of an open file.
struct Extent {
  std::shared_ptr<const OwnedFd> fd;
  uint64_t offset = 0;
  uint64_t size_bytes = 0;
};

absl::Status NotALayout(const std::string& path, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(path, " is not an OCI image layout: ", why));
}

// Finds the files of a layout by their paths in it.
class Files {
 public:
  virtual ~Files() = default;
  // kNotFound: there is no such file.
  virtual absl::StatusOr<Extent> Find(const std::string& path) = 0;
};

class DirectoryFiles final : public Files {
 public:
  explicit DirectoryFiles(std::string path) : path_(std::move(path)) {}

  absl::StatusOr<Extent> Find(const std::string& path) override {
    if (path == last_path_) return last_;
    const std::string full = absl::StrCat(path_, "/", path);
    ASSIGN_OR_RETURN(OwnedFd fd, OpenFileAt(full, O_RDONLY));
    ASSIGN_OR_RETURN(const uint64_t size_bytes, SizeOfFile(fd.get(), full));
    last_ = Extent{std::make_shared<const OwnedFd>(std::move(fd)), 0, size_bytes};
    last_path_ = path;
    return last_;
  }

 private:
  const std::string path_;
  // A large blob is read in many pieces.
  std::string last_path_;
  Extent last_;
};

class TarFiles final : public Files {
 public:
  static absl::StatusOr<std::unique_ptr<Files>> Open(const std::string& path, OwnedFd file) {
    auto files = std::make_unique<TarFiles>();
    const auto fd = std::make_shared<const OwnedFd>(std::move(file));
    ASSIGN_OR_RETURN(const std::string begin, ReadAt(fd->get(), 0, 4));
    if (begin.compare(0, 2, "\x1f\x8b") == 0 || begin.compare(0, 4, "\x28\xb5\x2f\xfd") == 0) {
      return NotALayout(path, "it is compressed: decompress it with gunzip or unzstd");
    }
    ASSIGN_OR_RETURN(const uint64_t file_bytes, SizeOfFile(fd->get(), path));
    TarReader reader(fd->get());
    while (true) {
      absl::StatusOr<std::optional<TarEntry>> next = reader.Next();
      if (absl::IsInvalidArgument(next.status())) return NotALayout(path, next.status().message());
      RETURN_IF_ERROR(next.status());
      if (!next->has_value()) break;
      const TarEntry& entry = **next;
      if (!entry.is_file) continue;
      if (entry.data_offset + entry.size_bytes > file_bytes) {
        return NotALayout(path, absl::StrCat("it was cut off in ", entry.path));
      }
      files->files_[entry.path] = Extent{fd, entry.data_offset, entry.size_bytes};
      if (files->files_.size() > kTarFilesMax) {
        return NotALayout(path, absl::StrCat("it has more than ", kTarFilesMax, " files"));
      }
    }
    return files;
  }

  absl::StatusOr<Extent> Find(const std::string& path) override {
    const auto found = files_.find(path);
    if (found == files_.end()) return absl::NotFoundError(absl::StrCat("the tar file has no ", path));
    return found->second;
  }

 private:
  std::map<std::string, Extent> files_;
};

class Reader final : public LayoutReader {
 public:
  // `blob_path` is the path of a blob in `files`.
  Reader(std::unique_ptr<Files> files, std::string (*blob_path)(const Digest& digest), std::vector<LayoutEntry> entries,
         std::vector<std::string> problems)
      : files_(std::move(files)), blob_path_(blob_path), entries_(std::move(entries)), problems_(std::move(problems)) {}

  const std::vector<LayoutEntry>& entries() const override { return entries_; }
  const std::vector<std::string>& problems() const override { return problems_; }

  absl::StatusOr<uint64_t> BlobSize(const Digest& digest) override {
    ASSIGN_OR_RETURN(const Extent extent, Find(digest));
    return extent.size_bytes;
  }

  absl::StatusOr<std::string> ReadBlob(const Digest& digest, uint64_t offset, size_t length) override {
    ASSIGN_OR_RETURN(const Extent extent, Find(digest));
    if (offset >= extent.size_bytes) return std::string();
    return ReadAt(extent.fd->get(), extent.offset + offset, std::min<uint64_t>(length, extent.size_bytes - offset));
  }

 private:
  absl::StatusOr<Extent> Find(const Digest& digest) {
    absl::StatusOr<Extent> extent = files_->Find(blob_path_(digest));
    if (absl::IsNotFound(extent.status())) {
      return absl::NotFoundError(absl::StrCat("the layout does not have the blob ", digest.ToString()));
    }
    return extent;
  }

  const std::unique_ptr<Files> files_;
  std::string (*const blob_path_)(const Digest& digest);
  const std::vector<LayoutEntry> entries_;
  const std::vector<std::string> problems_;
};

}  // namespace

absl::StatusOr<std::string> LayoutReader::ReadManifest(const Digest& digest) {
  ASSIGN_OR_RETURN(const uint64_t size_bytes, BlobSize(digest));
  if (size_bytes > kManifestBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("the manifest ", digest.ToString(), " is larger than ", kManifestBytesMax, " bytes"));
  }
  ASSIGN_OR_RETURN(std::string content, ReadBlob(digest, 0, size_bytes));
  if (const Digest found = ComputeDigest(digest.algorithm(), content); !(found == digest)) {
    return absl::DataLossError(
        absl::StrCat("the layout is damaged: the manifest ", digest.ToString(), " has the digest ", found.ToString()));
  }
  return content;
}

absl::StatusOr<std::unique_ptr<LayoutReader>> OpenLayout(const std::string& path) {
  if (const std::optional<std::string> storage = FindDistributionStorage(path); storage.has_value()) {
    DistributionImages images = ReadDistributionImages(*storage);
    return std::make_unique<Reader>(std::make_unique<DirectoryFiles>(*storage), DistributionBlobPath,
                                    std::move(images.entries), std::move(images.problems));
  }
  std::unique_ptr<Files> files;
  absl::StatusOr<OwnedFd> directory = OpenFileAt(path, O_RDONLY | O_DIRECTORY);
  if (directory.ok()) {
    files = std::make_unique<DirectoryFiles>(path);
  } else {
    absl::StatusOr<OwnedFd> file = OpenFileAt(path, O_RDONLY);
    if (!file.ok()) return absl::InvalidArgumentError(file.status().message());
    ASSIGN_OR_RETURN(files, TarFiles::Open(path, *std::move(file)));
  }
  absl::StatusOr<Extent> index = files->Find(kLayoutIndexName);
  if (absl::IsNotFound(index.status())) {
    return NotALayout(path, files->Find("manifest.json").ok()
                                ? "it is an archive of docker save without index.json: write it with Docker 25 or "
                                  "later, or with skopeo as oci-archive"
                                : "it has no index.json");
  }
  RETURN_IF_ERROR(index.status());
  if (index->size_bytes > kIndexBytesMax) {
    return NotALayout(path, absl::StrCat("index.json is larger than ", kIndexBytesMax, " bytes"));
  }
  ASSIGN_OR_RETURN(const std::string text, ReadAt(index->fd->get(), index->offset, index->size_bytes));
  absl::StatusOr<std::vector<LayoutEntry>> entries = ParseLayoutIndex(text);
  if (!entries.ok()) return NotALayout(path, entries.status().message());
  return std::make_unique<Reader>(std::move(files), LayoutBlobPath, *std::move(entries), std::vector<std::string>());
}

}  // namespace entrepot::ctl
