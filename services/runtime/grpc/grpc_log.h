#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_LOG_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_LOG_H_

namespace entrepot::runtime {

// From now on what gRPC itself has to say stands in the log (json_log.h), a line of JSON each. Its GRPC_VERBOSITY
// applies first. Any thread, any number of times.
void SendGrpcLogToJsonLog();

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_LOG_H_
