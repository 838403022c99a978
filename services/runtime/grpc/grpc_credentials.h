#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CREDENTIALS_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CREDENTIALS_H_

#include <memory>
#include <string>
#include <vector>

#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "services/runtime/grpc/peer_certificates.h"

namespace entrepot::runtime {

// Credentials for mutual TLS (1.2 and later) between the registry's processes. They use `certificates`, which must
// outlive them.

// The server accepts only peers with a certificate of the CA. It serves only the calls of peers with one of the names
// in `peers` (subjectAltName, DNS or URI). Other peers get PERMISSION_DENIED, and the log names them.
std::shared_ptr<grpc::ServerCredentials> MakePeerServerCredentials(const PeerCertificates& certificates,
                                                                   std::vector<std::string> peers);

// The client connects only to a server with a certificate of the CA for one of the names in `peers`, or, if that is
// empty, for the host of the target (DNS name or IP address).
std::shared_ptr<grpc::ChannelCredentials> MakePeerChannelCredentials(const PeerCertificates& certificates,
                                                                     std::vector<std::string> peers);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CREDENTIALS_H_
