#ifndef ENTREPOT_GATEWAY_API_REQUEST_LOCATIONS_H_
#define ENTREPOT_GATEWAY_API_REQUEST_LOCATIONS_H_

#include <string>

#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/upload_id.h"

// The Location headers of the API: absolute paths, which every client resolves against the address that it used,
// without a query, which some clients drop or rebuild.
namespace entrepot::gateway::api {

std::string BlobLocation(const RepositoryName& repository, const Digest& digest);
std::string UploadLocation(const RepositoryName& repository, const UploadId& id);
std::string ManifestLocation(const RepositoryName& repository, const Digest& digest);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_LOCATIONS_H_
