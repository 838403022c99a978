#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CALLBACK_THREADS_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CALLBACK_THREADS_H_

namespace entrepot::runtime {

// Keeps the threads on which gRPC runs callbacks until the process ends. All channels and servers of the process share
// these threads, and gRPC 1.51 ends them with the last of these: the process then aborts now and then, for certain if
// a callback lets go of the last channel, since a thread would wait for itself. Idempotent, thread-safe. MakeChannel()
// and GrpcServer::Start() call it.
void KeepGrpcCallbackThreads();

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CALLBACK_THREADS_H_
