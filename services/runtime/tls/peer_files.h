#ifndef ENTREPOT_SERVICES_RUNTIME_TLS_PEER_FILES_H_
#define ENTREPOT_SERVICES_RUNTIME_TLS_PEER_FILES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entrepot/config/v1/shared.pb.h"

namespace entrepot::runtime {

// The files of a PeerTls.
enum PeerFile { kPeerCertificate, kPeerPrivateKey, kPeerCa };

// In the order of PeerFile.
std::vector<std::string> PeerFilePaths(const config::v1::PeerTls& tls);

// When the certificate expires, in seconds since 1970. kInvalidArgument: what is in the files (in the order of
// PeerFile) cannot be used, or they could not be read; the message names the file.
absl::StatusOr<double> CheckPeerFileContents(const config::v1::PeerTls& tls,
                                             const absl::StatusOr<std::vector<std::string>>& contents);

// The same of what is in the files now.
absl::Status CheckPeerFiles(const config::v1::PeerTls& tls);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_TLS_PEER_FILES_H_
