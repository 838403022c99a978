#include "services/ctl/layout/distribution_storage.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/core/files/owned_fd.h"
#include "services/ctl/layout/layout_file.h"
#include "services/ctl/layout/tar_format.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

namespace fs = std::filesystem;

constexpr char kStorage[] = "docker/registry/v2";
constexpr uint64_t kLinkBytesMax = 256;

// The names in a directory, sorted; none if it cannot be read or does not exist.
std::vector<std::string> NamesIn(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto entry = fs::directory_iterator(directory, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The digest in a file `link`.
absl::StatusOr<Digest> ReadLink(const fs::path& path) {
  ASSIGN_OR_RETURN(const OwnedFd fd, OpenFileAt(path.string(), O_RDONLY));
  ASSIGN_OR_RETURN(const std::string text, ReadAt(fd.get(), 0, kLinkBytesMax));
  return Digest::Parse(absl::StripAsciiWhitespace(text));
}

class Walk {
 public:
  explicit Walk(const fs::path& storage) : repositories_(storage / "repositories") {}

  DistributionImages Run() {
    Visit(repositories_);
    return std::move(images_);
  }

 private:
  // The repositories at and below a directory. Directories that begin with "_" are not part of a name.
  void Visit(const fs::path& directory) {
    std::error_code error;
    if (fs::is_directory(directory / "_manifests", error)) TakeRepository(directory);
    for (const std::string& name : NamesIn(directory)) {
      if (absl::StartsWith(name, "_")) continue;
      const fs::path below = directory / name;
      // A symbolic link could lead back.
      if (fs::is_directory(fs::symlink_status(below, error))) Visit(below);
    }
  }

  void TakeRepository(const fs::path& directory) {
    const std::string repository = directory.lexically_relative(repositories_).string();
    const fs::path manifests = directory / "_manifests";
    std::set<Digest> revisions;
    for (const std::string& algorithm : NamesIn(manifests / "revisions")) {
      for (const std::string& hex : NamesIn(manifests / "revisions" / algorithm)) {
        const auto digest = ReadLink(manifests / "revisions" / algorithm / hex / "link");
        // A manifest that was deleted has an empty directory.
        if (digest.ok()) revisions.insert(*digest);
      }
    }
    std::set<Digest> tagged;
    for (const std::string& tag : NamesIn(manifests / "tags")) {
      const auto digest = ReadLink(manifests / "tags" / tag / "current" / "link");
      if (!digest.ok()) {
        images_.problems.push_back(
            absl::StrCat(repository, ":", tag, ": the tag names nothing: ", digest.status().message()));
      } else if (revisions.count(*digest) == 0) {
        images_.problems.push_back(absl::StrCat(repository, ":", tag, ": the tag names the manifest ",
                                                digest->ToString(), ", which was deleted"));
      } else {
        tagged.insert(*digest);
        images_.entries.push_back({.media_type = "", .digest = *digest, .tag = tag, .repository = repository});
      }
    }
    for (const Digest& digest : revisions) {
      if (tagged.count(digest) > 0) continue;
      images_.entries.push_back({.media_type = "", .digest = digest, .repository = repository});
    }
  }

  const fs::path repositories_;
  DistributionImages images_;
};

}  // namespace

std::optional<std::string> FindDistributionStorage(const std::string& path) {
  std::error_code error;
  for (const fs::path& storage : {fs::path(path) / kStorage, fs::path(path)}) {
    if (fs::is_directory(storage / "repositories", error) && fs::is_directory(storage / "blobs", error)) {
      return storage.string();
    }
  }
  return std::nullopt;
}

std::string DistributionBlobPath(const Digest& digest) {
  return absl::StrCat("blobs/", DigestAlgorithmName(digest.algorithm()), "/", digest.hex().substr(0, 2), "/",
                      digest.hex(), "/data");
}

DistributionImages ReadDistributionImages(const std::string& storage) { return Walk(storage).Run(); }

}  // namespace entrepot::ctl
