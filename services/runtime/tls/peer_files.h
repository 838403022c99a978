#ifndef ENTREPOT_SERVICES_RUNTIME_TLS_PEER_FILES_H_
#define ENTREPOT_SERVICES_RUNTIME_TLS_PEER_FILES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entrepot/config/v1/shared.pb.h"

namespace entrepot::runtime {

// The files of a PeerTls (proto/entrepot/config/v1/shared.proto).
enum PeerFile { kPeerCertificate, kPeerPrivateKey, kPeerCa };

// The paths, in the order of PeerFile.
std::vector<std::string> PeerFilePaths(const config::v1::PeerTls& tls);

// Checks the contents of the files, in the order of PeerFile. Returns when the certificate expires, in seconds since
// 1970. kInvalidArgument: a file cannot be used, or could not be read; the message names it.
absl::StatusOr<double> CheckPeerFileContents(const config::v1::PeerTls& tls,
                                             const absl::StatusOr<std::vector<std::string>>& contents);

// The same for the current contents of the files.
absl::Status CheckPeerFiles(const config::v1::PeerTls& tls);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_TLS_PEER_FILES_H_
