public import NIOCore

/// A piece of image data.
public typealias Chunk = ByteBuffer

/// Image data on its way: chunks of any length, read once, in order, at the pace of whoever reads.
public typealias ChunkSequence = AsyncSequence<Chunk, any Error> & Sendable
