#ifndef ENTREPOT_SERVICES_CTL_LAYOUT_DISTRIBUTION_STORAGE_H_
#define ENTREPOT_SERVICES_CTL_LAYOUT_DISTRIBUTION_STORAGE_H_

#include <optional>
#include <string>
#include <vector>

#include "services/core/digest.h"
#include "services/ctl/layout/layout_index.h"

// The directory in which the registry of CNCF Distribution ("registry:2", "registry:3") stores its content with its
// driver `filesystem`.
namespace entrepot::ctl {

// The directory "docker/registry/v2" of such a storage at or below `path`; nullopt: there is none.
std::optional<std::string> FindDistributionStorage(const std::string& path);

// "blobs/sha256/ab/abcd…/data"
std::string DistributionBlobPath(const Digest& digest);

struct DistributionImages {
  // First each repository's tags, then its manifests without a tag; in the order of the names.
  std::vector<LayoutEntry> entries;
  // What is broken: one sentence for each, with the repository and the tag.
  std::vector<std::string> problems;
};

// Reads the names of all images. A tag whose manifest was deleted is a problem, and so are files that cannot be read or
// have no digest.
DistributionImages ReadDistributionImages(const std::string& storage);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_LAYOUT_DISTRIBUTION_STORAGE_H_
