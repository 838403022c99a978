#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CREDENTIALS_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CREDENTIALS_H_

#include <memory>
#include <string>
#include <vector>

#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "services/runtime/grpc/peer_certificates.h"

namespace entrepot::runtime {

// Mutual TLS (1.2 and later). The credentials use `certificates`, which must outlive them.

// Only peers with a certificate of the CA are talked to, and only calls of those with one of the names `peers`
// (subjectAltName, DNS or URI) are served: the others get PERMISSION_DENIED, and a line in the log names them.
std::shared_ptr<grpc::ServerCredentials> MakePeerServerCredentials(const PeerCertificates& certificates,
                                                                   std::vector<std::string> peers);

// Only a server with a certificate of the CA is talked to, which has one of the names `peers`, or, where that is empty,
// the target's host (DNS or IP address).
std::shared_ptr<grpc::ChannelCredentials> MakePeerChannelCredentials(const PeerCertificates& certificates,
                                                                     std::vector<std::string> peers);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CREDENTIALS_H_
